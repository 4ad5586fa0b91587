// Stops the run when the monitored metric has not become better by more than min_delta for
// `patience` epochs in a row (Keras's EarlyStopping). The weights stay the last ones; checkpoint
// keeps the best.
#include <bcx/sdk/plugin.h>

#include <sstream>

#include "../monitor.h"
#include "../state.h"

namespace {

class EarlyStopping final : public bcx::sdk::Callback {
 public:
  explicit EarlyStopping(const bcx::sdk::Params& params)
      : monitor_(params),
        patience_(params.get<std::int64_t>("patience")),
        min_delta_(params.get<double>("min_delta")) {}

  void on_epoch_end(bcx::sdk::CallbackContext& context) override {
    const auto metric = monitor_.value(context, "early_stopping");
    if (!metric) return;
    if (monitor_.better(*metric, best_, min_delta_)) {
      best_ = metric;
      wait_ = 0;
    } else if (++wait_ >= patience_) {
      context.request_stop(reason());
    }
  }

  std::string state() const override {
    return nlohmann::json{{"best", callbacks::to_json(best_)}, {"wait", wait_}}.dump();
  }
  void load_state(const std::string& state) override {
    const auto json = nlohmann::json::parse(state);
    best_ = callbacks::best_from(json.at("best"));
    wait_ = json.at("wait").get<std::int64_t>();
  }

 private:
  std::string reason() const {
    std::ostringstream text;
    text << "early_stopping: " << monitor_.name() << " has not improved for " << wait_
         << (wait_ == 1 ? " epoch" : " epochs");
    if (best_) text << "; its best is " << *best_;
    return text.str();
  }

  callbacks::Monitor monitor_;
  std::int64_t patience_;
  double min_delta_;
  std::optional<double> best_;
  std::int64_t wait_ = 0;
};

}  // namespace

BCX_PLUGIN(bcx::sdk::callback<EarlyStopping>("early_stopping"))
