// Gives all pictures the same stains (stains.h).
//
// The target is fitted on up to `pictures` training pictures, evenly spread: the median of their
// stain directions and strengths, so that a few odd ones do not count. With one picture it is that
// picture's, as torchstain's fit() takes it. A picture in which no two stains can be told apart
// stays as it is.
//
// State: the directions of haematoxylin and eosin and their strengths, eight numbers; "none" when
// no training picture had two stains, and then every picture stays as it is.
#include <bcx/sdk/plugin.h>
#include <bcx/sdk/preprocess.h>

#include <algorithm>
#include <cmath>
#include <iomanip>
#include <optional>
#include <sstream>
#include <stdexcept>

#include "stains.h"

namespace {

using macenko::Stains;

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  return (*std::max_element(values.begin(), middle) + *middle) / 2.0;
}

Stains median_of(const std::vector<Stains>& all) {
  const auto over = [&](auto number) {
    std::vector<double> values;
    for (const Stains& stains : all) values.push_back(number(stains));
    return median(std::move(values));
  };
  Stains result;
  for (std::size_t k = 0; k < 2; ++k) {
    double squares = 0;
    for (std::size_t c = 0; c < 3; ++c) {
      result.direction[k][c] = over([&](const Stains& s) { return s.direction[k][c]; });
      squares += result.direction[k][c] * result.direction[k][c];
    }
    if (all.size() > 1)
      for (double& value : result.direction[k]) value /= std::sqrt(squares);
    result.strength[k] = over([&](const Stains& s) { return s.strength[k]; });
  }
  return result;
}

class Macenko final : public bcx::sdk::Preprocess {
 public:
  explicit Macenko(const bcx::sdk::Params& params)
      : rule_{params.get<double>("light"), params.get<double>("alpha"), params.get<double>("beta")},
        pictures_(params.get<int>("pictures")) {}

  void fit(bcx::sdk::TrainingPictures& pictures) override {
    std::vector<Stains> found;
    const std::int64_t count = std::min<std::int64_t>(pictures_, pictures.size());
    for (std::int64_t i = 0; i < count; ++i) {
      const auto picture = pictures.read(i * pictures.size() / count);
      auto estimate = macenko::estimate(picture.rgb, rule_);
      if (estimate.problem.empty()) found.push_back(estimate.stains);
    }
    target_ = found.empty() ? std::nullopt : std::optional(median_of(found));
  }

  std::string apply(bcx::sdk::Picture picture) const override {
    if (!target_) return "nothing was fitted";
    const auto estimate = macenko::estimate(picture.rgb, rule_);
    if (estimate.problem.empty()) macenko::transfer(picture.rgb, estimate.stains, *target_, rule_);
    return estimate.problem;
  }

  std::string state() const override {
    if (!target_) return "none";
    std::ostringstream text;
    text << std::setprecision(17);
    const char* gap = "";
    for (const double number : numbers(*target_)) {
      text << gap << number;
      gap = " ";
    }
    return text.str();
  }

  void load_state(const std::string& text) override {
    target_.reset();
    if (text == "none") return;
    std::istringstream in(text);
    std::vector<double> values;
    for (double value = 0; in >> value;) values.push_back(value);
    if (!in.eof() || values.size() != 8 ||
        !std::all_of(values.begin(), values.end(), [](double v) { return std::isfinite(v); }))
      throw std::invalid_argument("is no state of macenko: expected eight numbers or \"none\"");
    target_ = Stains{{{{values[0], values[1], values[2]}, {values[3], values[4], values[5]}}},
                     {values[6], values[7]}};
  }

 private:
  static std::array<double, 8> numbers(const Stains& s) {
    const auto& [h, e] = s.direction;
    return {h[0], h[1], h[2], e[0], e[1], e[2], s.strength[0], s.strength[1]};
  }

  macenko::Rule rule_;
  std::int64_t pictures_;
  std::optional<Stains> target_;
};

}  // namespace

BCX_PLUGIN(bcx::sdk::preprocess<Macenko>("macenko"))
