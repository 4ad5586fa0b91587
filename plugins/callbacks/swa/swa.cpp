// Stochastic weight averaging: the plain mean of the weights at the ends of epochs, from
// start_epoch on, while the learning rate stays high. Izmailov, Podoprikhin, Garipov, Vetrov,
// Wilson, "Averaging weights leads to wider optima and better generalization", 2018.
//
// The running statistics of batch normalisations are averaged like the weights. The paper estimates
// them anew with a pass over the training images, as the averaged network's own differ from the
// average of the networks' ones.
#include <bcx/sdk/callback.h>
#include <bcx/sdk/plugin.h>

#include <nlohmann/json.hpp>

namespace {

class Swa final : public bcx::sdk::Callback {
 public:
  explicit Swa(const bcx::sdk::Params& params)
      : start_(params.get<std::int64_t>("start_epoch")),
        every_(params.get<std::int64_t>("every")),
        rate_(params.get<double>("learning_rate")) {}

  void on_epoch_begin(bcx::sdk::CallbackContext& context) override {
    if (rate_ > 0.0 && context.epoch() == start_) context.set_learning_rate(rate_);
  }

  void on_train_epoch_end(bcx::sdk::CallbackContext& context) override {
    const auto since = context.epoch() - start_;
    if (since >= 0 && since % every_ == 0)
      context.average_weights(1.0 / static_cast<double>(++averaged_));
  }

  std::string state() const override { return nlohmann::json{{"averaged", averaged_}}.dump(); }
  void load_state(const std::string& state) override {
    averaged_ = nlohmann::json::parse(state).at("averaged").get<std::int64_t>();
  }

 private:
  std::int64_t start_, every_;
  double rate_;
  std::int64_t averaged_ = 0;
};

}  // namespace

BCX_PLUGIN(bcx::sdk::callback<Swa>("swa"))
