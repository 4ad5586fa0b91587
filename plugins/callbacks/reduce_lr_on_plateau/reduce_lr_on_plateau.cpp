// Multiplies the learning rate with `factor` (down to `min_lr`) when the monitored metric stops
// becoming better by more than min_delta. Two rules, the differences in the order of their lines:
//
//     keras (tf.keras.callbacks.ReduceLROnPlateau)      torch (lr_scheduler.ReduceLROnPlateau,
//     "abs")
//       in cooldown: cooldown -= 1, wait = 0              better: best = value, wait = 0
//       better: best = value, wait = 0                    otherwise: wait += 1
//       otherwise, not in cooldown: wait += 1,            in cooldown: cooldown -= 1, wait = 0
//         and wait >= patience: reduce                    wait > patience: reduce
//
// A reduction starts the cooldown and sets wait to 0. It acts on the base rate, which a schedule
// multiplies; min_lr bounds that base rate.
#include <bcx/sdk/plugin.h>

#include <algorithm>
#include <sstream>

#include "../monitor.h"
#include "../state.h"

namespace {

class ReduceLrOnPlateau final : public bcx::sdk::Callback {
 public:
  explicit ReduceLrOnPlateau(const bcx::sdk::Params& params)
      : monitor_(params),
        keras_(params.get<std::string>("rule") == "keras"),
        factor_(params.get<double>("factor")),
        min_delta_(params.get<double>("min_delta")),
        min_rate_(params.get<double>("min_lr")),
        patience_(params.get<std::int64_t>("patience")),
        full_cooldown_(params.get<std::int64_t>("cooldown")) {}

  void on_epoch_end(bcx::sdk::CallbackContext& context) override {
    const auto metric = monitor_.value(context, "reduce_lr_on_plateau");
    if (!metric) return;
    if (keras_)
      keras(*metric, context);
    else
      torch(*metric, context);
  }

  std::string state() const override {
    return nlohmann::json{
        {"best", callbacks::to_json(best_)}, {"wait", wait_}, {"cooldown", cooldown_}}
        .dump();
  }
  void load_state(const std::string& state) override {
    const auto json = nlohmann::json::parse(state);
    best_ = callbacks::best_from(json.at("best"));
    wait_ = json.at("wait").get<std::int64_t>();
    cooldown_ = json.at("cooldown").get<std::int64_t>();
  }

 private:
  void keras(double metric, bcx::sdk::CallbackContext& context) {
    rest();
    if (monitor_.better(metric, best_, min_delta_)) {
      best_ = metric;
      wait_ = 0;
    } else if (cooldown_ == 0 && ++wait_ >= patience_) {
      // At the smallest rate Keras goes on counting, without a cooldown.
      if (context.learning_rate() > min_rate_) reduce(context);
    }
  }

  void torch(double metric, bcx::sdk::CallbackContext& context) {
    if (monitor_.better(metric, best_, min_delta_)) {
      best_ = metric;
      wait_ = 0;
    } else {
      ++wait_;
    }
    rest();
    if (wait_ > patience_) reduce(context);
  }

  void rest() {
    if (cooldown_ == 0) return;
    --cooldown_;
    wait_ = 0;
  }

  void reduce(bcx::sdk::CallbackContext& context) {
    cooldown_ = full_cooldown_;
    wait_ = 0;
    // torch leaves the rate when the change is 1e-8 or less, its `eps`.
    const double old = context.learning_rate(), next = std::max(old * factor_, min_rate_);
    if (next >= old || (!keras_ && old - next <= 1e-8)) return;
    context.set_learning_rate(next);
    std::ostringstream text;
    text << "reduce_lr_on_plateau: learning rate " << old << " -> " << next;
    context.log(text.str());
  }

  callbacks::Monitor monitor_;
  bool keras_;
  double factor_, min_delta_, min_rate_;
  std::int64_t patience_, full_cooldown_;
  std::optional<double> best_;
  std::int64_t wait_ = 0, cooldown_ = 0;
};

}  // namespace

BCX_PLUGIN(bcx::sdk::callback<ReduceLrOnPlateau>("reduce_lr_on_plateau"))
