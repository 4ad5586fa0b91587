// Sums up an epoch's gradient norms, before clipping: mean, standard deviation, minimum and maximum
// over its steps. Steps whose gradient is not finite are left out (train.skipped_steps counts
// them).
#include <bcx/sdk/callback.h>
#include <bcx/sdk/plugin.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

namespace {

class GradientStatistics final : public bcx::sdk::Callback {
 public:
  explicit GradientStatistics(const bcx::sdk::Params& params)
      : layers_(params.get<bool>("layers")), depth_(params.get<std::int64_t>("depth")) {}

  void on_epoch_begin(bcx::sdk::CallbackContext&) override { sums_ = {}; }

  void on_metrics(bcx::sdk::CallbackContext&, std::int64_t,
                  const std::map<std::string, std::vector<double>, std::less<>>& values) override {
    const auto norms = values.find("grad_norm");
    if (norms == values.end()) return;
    for (const double norm : norms->second)
      if (std::isfinite(norm)) add(norm);
  }

  void on_epoch_end(bcx::sdk::CallbackContext& context) override {
    if (layers_)
      for (const auto& [layer, norm] : by_layer(context.gradient_norms()))
        context.set_metric("grad_norm." + layer, norm);
    if (sums_.count == 0) return;
    context.set_metric("grad_norm.mean", sums_.mean);
    context.set_metric("grad_norm.std",
                       std::sqrt(sums_.squares / static_cast<double>(sums_.count)));
    context.set_metric("grad_norm.min", sums_.least);
    context.set_metric("grad_norm.max", sums_.most);
  }

  std::string state() const override {
    return nlohmann::json{{"count", sums_.count},
                          {"mean", sums_.mean},
                          {"squares", sums_.squares},
                          {"least", sums_.least},
                          {"most", sums_.most}}
        .dump();
  }
  void load_state(const std::string& state) override {
    const auto json = nlohmann::json::parse(state);
    sums_ = {json.at("count"), json.at("mean"), json.at("squares"), json.at("least"),
             json.at("most")};
  }

 private:
  struct Sums {
    std::int64_t count = 0;
    double mean = 0.0, squares = 0.0;  // of the differences from the mean: Welford 1962
    double least = 0.0, most = 0.0;
  };

  void add(double norm) {
    sums_.least = sums_.count == 0 ? norm : std::min(sums_.least, norm);
    sums_.most = sums_.count == 0 ? norm : std::max(sums_.most, norm);
    const double before = norm - sums_.mean;
    sums_.mean += before / static_cast<double>(++sums_.count);
    sums_.squares += before * (norm - sums_.mean);
  }

  /// Norms of what shares the first `depth` parts of its name, the last part (`weight`) apart.
  bcx::sdk::Metrics by_layer(const bcx::sdk::Metrics& parameters) const {
    bcx::sdk::Metrics layers;
    for (const auto& [name, norm] : parameters) {
      const auto parent = name.substr(0, name.rfind('.'));
      std::size_t end = 0;
      for (std::int64_t i = 0; i < depth_ && end != std::string::npos; ++i)
        end = parent.find('.', i == 0 ? 0 : end + 1);
      auto& sum = layers[parent.substr(0, end)];
      sum = std::hypot(sum, norm);
    }
    return layers;
  }

  bool layers_;
  std::int64_t depth_;
  Sums sums_;
};

}  // namespace

BCX_PLUGIN(bcx::sdk::callback<GradientStatistics>("gradient_statistics"))
