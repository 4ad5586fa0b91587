// Keeps an exponential moving average of the weights and of the running statistics (Polyak
// averaging in the form of Tarvainen, Valpola, "Mean teachers", 2017), which validation,
// checkpoints and the final evaluation use. After the step number t:
//
//     average = decay_t average + (1 - decay_t) weights
//     decay_t = min(decay, (1 + t) / (10 + t)) with warm-up (TensorFlow's
//     ExponentialMovingAverage),
//               decay without
#include <bcx/sdk/plugin.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "bcx/sdk/callback.h"

namespace {

class Ema final : public bcx::sdk::Callback {
 public:
  explicit Ema(const bcx::sdk::Params& params)
      : decay_(params.get<double>("decay")), warmup_(params.get<bool>("warmup")) {}

  // Makes the average of the weights that the run starts from; of a resumed run it is there already
  // and stays.
  void on_run_begin(bcx::sdk::CallbackContext& context) override { context.average_weights(0.0); }

  void on_step_end(bcx::sdk::CallbackContext& context) override {
    const auto t = static_cast<double>(++steps_);
    context.average_weights(1.0 - (warmup_ ? std::min(decay_, (1.0 + t) / (10.0 + t)) : decay_));
  }

  std::string state() const override { return nlohmann::json{{"steps", steps_}}.dump(); }
  void load_state(const std::string& state) override {
    steps_ = nlohmann::json::parse(state).at("steps").get<std::int64_t>();
  }

 private:
  double decay_;
  bool warmup_;
  std::int64_t steps_ = 0;
};

}  // namespace

BCX_PLUGIN(bcx::sdk::callback<Ema>("ema"))
