// Says how far the run is, from time to time, and what is left by the pace of the epochs done in
// this attempt. Nothing here outlives an attempt: there is no state.
#include <bcx/sdk/callback.h>
#include <bcx/sdk/plugin.h>

#include "../duration.h"

namespace {

class Progress final : public bcx::sdk::Callback {
 public:
  explicit Progress(const bcx::sdk::Params& params) : interval_(params.get<double>("seconds")) {}

  void on_step_end(bcx::sdk::CallbackContext& context) override {
    const double now = context.elapsed_seconds();
    if (now - said_ < interval_) return;
    said_ = now;
    std::string text = "progress: epoch " + std::to_string(context.epoch() + 1) + " of " +
                       std::to_string(context.epochs()) + ", step " +
                       std::to_string(context.step()) + ", " + callbacks::duration(now);
    if (epochs_ > 0) {
      const double left = static_cast<double>(context.epochs() - context.epoch()) * epochs_end_ /
                              static_cast<double>(epochs_) -
                          (now - epochs_end_);
      text += ", about " + callbacks::duration(left > 0 ? left : 0) + " left";
    }
    context.log(text);
  }

  void on_epoch_end(bcx::sdk::CallbackContext& context) override {
    ++epochs_;
    epochs_end_ = context.elapsed_seconds();
  }

  std::string state() const override { return "{}"; }
  void load_state(const std::string&) override {}

 private:
  double interval_, said_ = 0.0;
  std::int64_t epochs_ = 0;  // ended in this attempt
  double epochs_end_ = 0.0;  // when the last of them did
};

}  // namespace

BCX_PLUGIN(bcx::sdk::callback<Progress>("progress"))
