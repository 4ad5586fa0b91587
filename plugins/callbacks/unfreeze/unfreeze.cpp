// Unfreezes the network in stages (Howard, Ruder, "Universal language model fine-tuning for text
// classification", 2018): each stage says what is frozen, and the next one begins at a given epoch,
// or when the monitored metric has not become better by more than min_delta for `patience` epochs.
#include <bcx/sdk/plugin.h>

#include <algorithm>
#include <functional>
#include <sstream>
#include <stdexcept>

#include "../monitor.h"
#include "../state.h"

namespace {

class Unfreeze final : public bcx::sdk::Callback {
 public:
  explicit Unfreeze(const bcx::sdk::Params& params)
      : stages_(params.get<std::vector<std::string>>("stages")),
        epochs_(params.get<std::vector<std::int64_t>>("epochs")),
        monitor_(params),
        patience_(params.get<std::int64_t>("patience")),
        min_delta_(params.get<double>("min_delta")) {
    if (stages_.size() < 2) throw std::invalid_argument("stages: expected at least two");
    if (!epochs_.empty() && epochs_.size() + 1 != stages_.size())
      throw std::invalid_argument("epochs: expected one for each stage after the first, or none");
    if (std::adjacent_find(epochs_.begin(), epochs_.end(), std::greater_equal<>()) != epochs_.end())
      throw std::invalid_argument("epochs must rise");
  }

  // Each stage once, so that a pattern that matches nothing is found before the first epoch.
  void on_run_begin(bcx::sdk::CallbackContext& context) override {
    for (std::size_t i = stages_.size(); i-- > 0;) context.set_frozen(patterns(i));
    context.set_frozen(patterns(stage_));
  }

  void on_epoch_begin(bcx::sdk::CallbackContext& context) override {
    const auto due = std::upper_bound(epochs_.begin(), epochs_.end(), context.epoch());
    const auto stage = static_cast<std::size_t>(due - epochs_.begin());
    if (!epochs_.empty() && stage != stage_) enter(stage, context);
  }

  void on_epoch_end(bcx::sdk::CallbackContext& context) override {
    if (!epochs_.empty() || stage_ + 1 == stages_.size()) return;
    const auto metric = monitor_.value(context, "unfreeze");
    if (!metric) return;
    if (monitor_.better(*metric, best_, min_delta_)) {
      best_ = metric;
      wait_ = 0;
    } else if (++wait_ >= patience_) {
      wait_ = 0;
      enter(stage_ + 1, context);
    }
  }

  std::string state() const override {
    return nlohmann::json{{"stage", stage_}, {"best", callbacks::to_json(best_)}, {"wait", wait_}}
        .dump();
  }
  void load_state(const std::string& state) override {
    const auto json = nlohmann::json::parse(state);
    stage_ = std::min(json.at("stage").get<std::size_t>(), stages_.size() - 1);
    best_ = callbacks::best_from(json.at("best"));
    wait_ = json.at("wait").get<std::int64_t>();
  }

 private:
  std::vector<std::string> patterns(std::size_t stage) const {
    std::vector<std::string> result;
    std::istringstream words(stages_[stage]);
    for (std::string word; words >> word;) result.push_back(word);
    return result;
  }

  void enter(std::size_t stage, bcx::sdk::CallbackContext& context) {
    stage_ = stage;
    const auto frozen = patterns(stage);
    context.log("unfreeze: stage " + std::to_string(stage + 1) + " of " +
                std::to_string(stages_.size()) +
                ", frozen: " + (frozen.empty() ? std::string("nothing") : stages_[stage]));
    context.set_frozen(frozen);
  }

  std::vector<std::string> stages_;
  std::vector<std::int64_t> epochs_;
  callbacks::Monitor monitor_;
  std::int64_t patience_;
  double min_delta_;
  std::size_t stage_ = 0;
  std::optional<double> best_;
  std::int64_t wait_ = 0;
};

}  // namespace

BCX_PLUGIN(bcx::sdk::callback<Unfreeze>("unfreeze"))
