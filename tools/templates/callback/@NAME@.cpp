// Remembers the lowest validation loss and logs it. bcx/sdk/callback.h has the order of the calls,
// and what a callback may ask for: another learning rate, a checkpoint, a stop.
#include <bcx/sdk/callback.h>
#include <bcx/sdk/plugin.h>

#include <limits>
#include <sstream>

namespace {

class @CLASS@ final : public bcx::sdk::Callback {
 public:
  explicit @CLASS@(const bcx::sdk::Params& params) : every_(params.get<std::int64_t>("every")) {}

  void on_epoch_end(bcx::sdk::CallbackContext& context) override {
    const auto loss = context.metrics().find("val.loss");
    if (loss != context.metrics().end() && loss->second < lowest_) lowest_ = loss->second;
    if ((context.epoch() + 1) % every_ == 0) context.log("lowest val.loss " + state());
  }

  // Everything that later epochs depend on, as text: a resumed run goes on as if never stopped.
  std::string state() const override {
    std::ostringstream text;
    text.precision(std::numeric_limits<double>::max_digits10);
    text << lowest_;
    return text.str();
  }
  void load_state(const std::string& state) override { lowest_ = std::stod(state); }

 private:
  std::int64_t every_;
  double lowest_ = std::numeric_limits<double>::infinity();
};

}  // namespace

BCX_PLUGIN(bcx::sdk::callback<@CLASS@>("@NAME@"))
