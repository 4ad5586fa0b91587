// Asks for a stop when the loss is not finite (Keras's TerminateOnNaN). The host then leaves out
// the spoilt epoch and evaluates the best checkpoint. There is no state.
#include <bcx/sdk/callback.h>
#include <bcx/sdk/plugin.h>

#include <cmath>

namespace {

class TerminateOnNan final : public bcx::sdk::Callback {
 public:
  explicit TerminateOnNan(const bcx::sdk::Params&) {}

  void on_metrics(bcx::sdk::CallbackContext& context, std::int64_t first_step,
                  const std::map<std::string, std::vector<double>, std::less<>>& values) override {
    const auto losses = values.find("train.step_loss");
    if (losses == values.end()) return;
    for (std::size_t i = 0; i < losses->second.size(); ++i) {
      const double loss = losses->second[i];
      if (std::isfinite(loss)) continue;
      context.request_stop("terminate_on_nan: the loss is " +
                           std::string(std::isnan(loss) ? "nan" : "infinite") + " at step " +
                           std::to_string(first_step + static_cast<std::int64_t>(i)));
      return;
    }
  }

  std::string state() const override { return "{}"; }
  void load_state(const std::string&) override {}
};

}  // namespace

BCX_PLUGIN(bcx::sdk::callback<TerminateOnNan>("terminate_on_nan"))
