// Stops the run after some time of training, all attempts together. The epoch under way is cut
// short, validated and saved like any other.
#include <bcx/sdk/callback.h>
#include <bcx/sdk/plugin.h>

#include <nlohmann/json.hpp>

#include "../duration.h"

namespace {

class TimeLimit final : public bcx::sdk::Callback {
 public:
  explicit TimeLimit(const bcx::sdk::Params& params)
      : limit_(params.get<double>("minutes") * 60.0) {}

  void on_step_end(bcx::sdk::CallbackContext& context) override {
    here_ = context.elapsed_seconds();
    if (stopped_ || before_ + here_ < limit_) return;
    stopped_ = true;
    context.request_stop("time_limit: " + callbacks::duration(limit_) + " are over");
  }

  std::string state() const override { return nlohmann::json{{"seconds", before_ + here_}}.dump(); }
  void load_state(const std::string& state) override {
    before_ = nlohmann::json::parse(state).at("seconds").get<double>();
    here_ = 0.0;
  }

 private:
  double limit_;
  double before_ = 0.0, here_ = 0.0;  // seconds of earlier attempts, of this one
  bool stopped_ = false;
};

}  // namespace

BCX_PLUGIN(bcx::sdk::callback<TimeLimit>("time_limit"))
