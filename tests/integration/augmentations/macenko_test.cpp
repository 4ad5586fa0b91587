// The macenko normaliser against torchstain's with numpy, and on pictures without stains.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>
#include <sstream>

#include "augmentation_fixture.h"
#include "bcx/sdk/preprocess.h"
#include "references.h"

namespace {

using bcx::sdk::Picture;
using Pixels = std::vector<std::uint8_t>;

std::unique_ptr<bcx::sdk::Preprocess> macenko(std::int64_t pictures = 50) {
  const bcx::test::Values values{
      {"pictures", pictures}, {"light", 240.0}, {"alpha", 1.0}, {"beta", 0.15}};
  return bcx::test::component("macenko", "macenko").preprocess(bcx::sdk::Params(values));
}

Pixels pixels_of(const std::string& name) {
  const auto tensor = bcx::test::reference(name);
  const auto* data = tensor.const_data_ptr<std::uint8_t>();
  return {data, data + tensor.numel()};
}

Picture picture(Pixels& pixels) {
  const auto side =
      static_cast<std::int64_t>(std::lround(std::sqrt(static_cast<double>(pixels.size() / 3))));
  return {pixels, side, side};
}

class Pictures final : public bcx::sdk::TrainingPictures {
 public:
  explicit Pictures(std::vector<Pixels> pictures) : pictures_(std::move(pictures)) {}
  std::int64_t size() const override { return static_cast<std::int64_t>(pictures_.size()); }
  Picture read(std::int64_t index) override {
    asked.push_back(index);
    return picture(pictures_[static_cast<std::size_t>(index)]);
  }
  std::vector<std::int64_t> asked;

 private:
  std::vector<Pixels> pictures_;
};

std::unique_ptr<bcx::sdk::Preprocess> fitted(std::vector<Pixels> pictures) {
  auto made = macenko();
  Pictures source(std::move(pictures));
  made->fit(source);
  return made;
}

std::vector<double> numbers(const std::string& state) {
  std::istringstream text(state);
  return {std::istream_iterator<double>(text), {}};
}

Pixels one_colour(std::uint8_t r, std::uint8_t g, std::uint8_t b, std::size_t pixels = 1600) {
  Pixels result;
  for (std::size_t i = 0; i < pixels; ++i) result.insert(result.end(), {r, g, b});
  return result;
}

Pixels random_pixels(std::size_t pixels, int low, int high, bool grey) {
  std::mt19937 random(1);
  Pixels result(pixels * 3);
  for (std::size_t i = 0; i < result.size(); ++i)
    result[i] = grey && i % 3 > 0
                    ? result[i - 1]
                    : static_cast<std::uint8_t>(
                          low + static_cast<int>(random() % static_cast<unsigned>(high - low + 1)));
  return result;
}

/// Why the normaliser leaves a picture alone; checks that it does.
std::string reason(Pixels pixels, const bcx::sdk::Preprocess& normaliser) {
  const Pixels before = pixels;
  const std::string text = normaliser.apply(picture(pixels));
  if (!text.empty()) CHECK(pixels == before);
  return text;
}

}  // namespace

TEST_CASE("macenko finds torchstain's stains and makes its pictures") {
  const auto normaliser = fitted({pixels_of("macenko.target")});
  const auto expected = bcx::test::reference("macenko.fitted");
  const auto state = numbers(normaliser->state());
  REQUIRE(state.size() == 8);
  for (std::size_t i = 0; i < 8; ++i)
    CHECK(state[i] == Approx(expected[static_cast<std::int64_t>(i)].item<double>()).epsilon(1e-10));

  Pixels source = pixels_of("macenko.source");
  CHECK(normaliser->apply(picture(source)).empty());
  const Pixels wanted = pixels_of("macenko.normalised");
  std::size_t different = 0;
  int worst = 0;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const int difference = std::abs(source[i] - wanted[i]);
    worst = std::max(worst, difference);
    different += difference > 0;
  }
  CHECK(worst <= 1);  // both cut off fractions, of numbers that differ in their last digits
  CHECK(different <= 3);
}

TEST_CASE("macenko takes the median of evenly spread training pictures") {
  const auto target = pixels_of("macenko.target"), source = pixels_of("macenko.source");
  const auto odd = fitted({target, source, target})->state();
  CHECK(odd != fitted({source})->state());
  const auto alone = numbers(fitted({target})->state()), median = numbers(odd);
  for (std::size_t i = 0; i < 8; ++i) CHECK(median[i] == Approx(alone[i]).epsilon(1e-12));
  CHECK(fitted({one_colour(255, 255, 255), target})->state() == fitted({target})->state());

  auto few = macenko(3);
  Pictures nine(std::vector<Pixels>(9, target));
  few->fit(nine);
  CHECK(nine.asked == std::vector<std::int64_t>{0, 3, 6});
}

TEST_CASE("macenko leaves pictures without two stains alone and says why") {
  const auto normaliser = fitted({pixels_of("macenko.target")});
  CHECK(reason(one_colour(255, 255, 255), *normaliser) == "blank");
  CHECK(reason(one_colour(240, 238, 241), *normaliser) == "blank");
  CHECK(reason({}, *normaliser) == "blank");
  CHECK(reason(one_colour(120, 40, 160, 4), *normaliser) == "blank");
  CHECK(reason(one_colour(0, 0, 0), *normaliser) == "one colour");
  CHECK(reason(one_colour(120, 40, 160), *normaliser) == "one colour");
  CHECK(reason(random_pixels(1600, 0, 200, /*grey=*/true), *normaliser) == "one colour");
  // Anything else gives pixels, never a crash.
  for (const std::size_t size : {9, 16, 25, 64, 400})
    for (const int high : {1, 3, 100, 255})
      reason(random_pixels(size, 0, high, false), *normaliser);
}

TEST_CASE("macenko that found nothing to fit leaves everything alone") {
  const auto normaliser = fitted({one_colour(255, 255, 255)});
  CHECK(normaliser->state() == "none");
  CHECK(reason(pixels_of("macenko.source"), *normaliser) == "nothing was fitted");
}

TEST_CASE("macenko's state carries over to the bit") {
  const auto normaliser = fitted({pixels_of("macenko.target")});
  const auto other = macenko();
  other->load_state(normaliser->state());
  CHECK(other->state() == normaliser->state());
  Pixels a = pixels_of("macenko.source"), b = a;
  normaliser->apply(picture(a));
  other->apply(picture(b));
  CHECK(a == b);
  other->load_state("none");
  CHECK(other->state() == "none");
  for (const std::string text : {"", "1 2 3", "1 2 3 4 5 6 7 8 9", "1 2 3 4 5 6 7 x", "nan"})
    CHECK_THROWS_AS(other->load_state(text), std::invalid_argument);
}
