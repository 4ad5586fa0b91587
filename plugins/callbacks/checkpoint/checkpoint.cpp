// Asks for checkpoints at the ends of epochs: the best whenever the monitored metric is better than
// ever before (the earlier epoch wins a tie), the top_k best beside it, "last" every few epochs and
// after the final one, and some for good. Within long epochs it asks for "last" by the clock.
#include <bcx/sdk/plugin.h>

#include <algorithm>
#include <cstdio>
#include <stdexcept>

#include "../monitor.h"
#include "../state.h"

namespace {

class Checkpoint final : public bcx::sdk::Callback {
 public:
  explicit Checkpoint(const bcx::sdk::Params& params)
      : monitor_(params),
        save_best_(params.get<bool>("save_best")),
        tag_(params.get<std::string>("tag")),
        top_k_(static_cast<std::size_t>(params.get<std::int64_t>("top_k"))),
        every_(params.get<std::int64_t>("every")),
        seconds_(params.get<double>("minutes") * 60.0),
        keep_every_(params.get<std::int64_t>("keep_every")) {
    if (tag_ == "last")
      throw std::invalid_argument("tag = \"last\" is what the last epoch is saved as");
  }

  void on_step_end(bcx::sdk::CallbackContext& context) override {
    if (seconds_ > 0 && context.elapsed_seconds() - saved_at_ >= seconds_)
      save(context, "last", std::nullopt, /*best=*/false);
  }

  void on_epoch_end(bcx::sdk::CallbackContext& context) override {
    std::optional<double> metric;
    if (save_best_) metric = monitor_.value(context, "checkpoint");
    if (metric && monitor_.better(*metric, best_)) {
      best_ = metric;
      save(context, tag_, metric, /*best=*/true);
    }
    const auto done = context.epoch() + 1;
    if (metric && top_k_ > 1) rank(context, *metric, numbered(tag_ + "-epoch", done));
    if (keep_every_ > 0 && done % keep_every_ == 0)
      save(context, numbered("epoch", done), metric, /*best=*/false);
    if (done % every_ == 0 || done == context.epochs())
      save(context, "last", metric, /*best=*/false);
  }

  std::string state() const override {
    auto kept = nlohmann::json::array();
    for (const auto& one : kept_) kept.push_back({callbacks::to_json(one.metric), one.tag});
    return nlohmann::json{{"best", callbacks::to_json(best_)}, {"kept", kept}}.dump();
  }
  void load_state(const std::string& state) override {
    const auto json = nlohmann::json::parse(state);
    best_ = callbacks::best_from(json.at("best"));
    kept_.clear();
    for (const auto& one : json.at("kept"))
      kept_.push_back({callbacks::best_from(one.at(0)).value(), one.at(1).get<std::string>()});
  }

 private:
  struct Kept {
    double metric;
    std::string tag;
  };

  static std::string numbered(const std::string& name, std::int64_t epoch) {
    char text[32];
    std::snprintf(text, sizeof text, "-%04lld", static_cast<long long>(epoch));
    return name + text;
  }

  void save(bcx::sdk::CallbackContext& context, const std::string& tag,
            std::optional<double> metric, bool best) {
    if (tag == "last") saved_at_ = context.elapsed_seconds();
    context.request_checkpoint(
        {.tag = tag, .monitor = metric ? monitor_.name() : "", .value = metric, .best = best});
  }

  /// Keeps the epoch when it is among the best, the earlier one of a tie.
  void rank(bcx::sdk::CallbackContext& context, double metric, const std::string& tag) {
    const auto place = std::find_if(kept_.begin(), kept_.end(), [&](const Kept& other) {
      return monitor_.better(metric, other.metric);
    });
    if (metric != metric || (place == kept_.end() && kept_.size() >= top_k_)) return;
    kept_.insert(place, {metric, tag});
    save(context, tag, metric, /*best=*/false);
    if (kept_.size() <= top_k_) return;
    context.remove_checkpoint(kept_.back().tag);
    kept_.pop_back();
  }

  callbacks::Monitor monitor_;
  bool save_best_;
  std::string tag_;
  std::size_t top_k_;
  std::int64_t every_;
  double seconds_;
  std::int64_t keep_every_;
  double saved_at_ = 0;  // of this attempt: no part of the state
  std::optional<double> best_;
  std::vector<Kept> kept_;  // best first
};

}  // namespace

BCX_PLUGIN(bcx::sdk::callback<Checkpoint>("checkpoint"))
