// Asks for checkpoints at the ends of epochs: "best" whenever the monitored metric is better than
// ever before (the earlier epoch wins a tie), "last" every few epochs and after the final one.
#include <bcx/sdk/plugin.h>

#include "../monitor.h"
#include "../state.h"

namespace {

class Checkpoint final : public bcx::sdk::Callback {
 public:
  explicit Checkpoint(const bcx::sdk::Params& params)
      : monitor_(params),
        save_best_(params.get<bool>("save_best")),
        every_(params.get<std::int64_t>("every")) {}

  void on_epoch_end(bcx::sdk::CallbackContext& context) override {
    std::optional<double> metric;
    if (save_best_) metric = monitor_.value(context, "checkpoint");
    if (metric && monitor_.better(*metric, best_)) {
      best_ = metric;
      context.request_checkpoint("best", metric);
    }
    const auto done = context.epoch() + 1;
    if (done % every_ == 0 || done == context.epochs()) context.request_checkpoint("last", metric);
  }

  std::string state() const override {
    return nlohmann::json{{"best", callbacks::to_json(best_)}}.dump();
  }
  void load_state(const std::string& state) override {
    best_ = callbacks::best_from(nlohmann::json::parse(state).at("best"));
  }

 private:
  callbacks::Monitor monitor_;
  bool save_best_;
  std::int64_t every_;
  std::optional<double> best_;
};

}  // namespace

BCX_PLUGIN(bcx::sdk::callback<Checkpoint>("checkpoint"))
