// Conflicts among callbacks, and what they watch.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/text.h"
#include "config/conflict_rules.h"
#include "config/conflicts.h"

namespace bcx::config {
namespace {

/// What the training loop adds to each epoch by itself.
const std::vector<std::string>& loop_metrics() {
  static const std::vector<std::string> names{
      "train.loss", "train.accuracy",    "train.skipped_steps", "learning_rate",
      "time.epoch", "images_per_second", "memory.peak"};
  return names;
}

class CallbackConflicts : ConflictRules {
 public:
  explicit CallbackConflicts(const ConflictRules& rules) : ConflictRules(rules) {}

  void run() {
    averages();
    checkpoints();
    freezing();
  }

 private:
  void averages() {
    std::vector<std::string> names;
    for (const auto& callback : experiment_.callbacks)
      if (callback.name == "ema" || callback.name == "swa") names.push_back(callback.instance);
    if (names.size() < 2) return;
    if (experiment_.train.ema_decay > 0)
      return conflict(
          {"train.ema_decay"},
          "train.ema_decay: there is only one average of the weights, and the callback " +
              names.front() + " keeps one too",
          "leave one of them out");
    conflict({("callback." + names[1] + ".name").c_str()},
             fmt::format("{} and {} both average the weights, and there is only one average",
                         names[0], names[1]),
             "leave one of them out");
  }

  /// Two checkpoint callbacks must not write the same file.
  void checkpoints() {
    std::map<std::string, std::string> owners;  // of tags
    for (const auto& callback : experiment_.callbacks) {
      const auto saves = callback.params.find("save_best"), tag = callback.params.find("tag");
      if (callback.name != "checkpoint" || saves == callback.params.end() ||
          saves->second != Value(true) || tag == callback.params.end())
        continue;
      const auto& text = std::get<std::string>(tag->second);
      const auto [owner, fresh] = owners.emplace(text, callback.instance);
      if (fresh) continue;
      const std::string prefix = "callback." + callback.instance;
      conflict({(prefix + ".tag").c_str(), (prefix + ".name").c_str()},
               fmt::format("{}.tag: {} saves its best as \"{}\" too", prefix, owner->second,
                           clip(printable(text), 60)),
               "give each a tag of its own");
    }
  }

  void freezing() {
    for (const auto& callback : experiment_.callbacks)
      if (callback.name == "unfreeze" && !experiment_.train.stages.empty())
        conflict(
            {("callback." + callback.instance + ".name").c_str()},
            fmt::format("{}: it and [[train.stage]] both say what is frozen", callback.instance),
            "leave one of them out");
  }
};

}  // namespace

void check_callback_conflicts(const ConflictRules& rules) {
  CallbackConflicts(rules).run();
}

void check_monitors(const Experiment& experiment, const Resolution& resolution,
                    const Catalog& catalog, const std::vector<std::string>& validation,
                    Problems& problems) {
  std::vector<std::string> known = loop_metrics();
  for (const auto& name : validation) known.push_back("val." + name);
  for (const auto& callback : experiment.callbacks)
    if (const auto* spec = catalog.find(ComponentKind::callback, callback.name))
      known.insert(known.end(), spec->facts.metrics.begin(), spec->facts.metrics.end());
  for (const auto& callback : experiment.callbacks) {
    const std::string key = "callback." + callback.instance + ".monitor";
    const auto* entry = resolution.find(key);
    const auto* name = entry ? std::get_if<std::string>(&entry->value) : nullptr;
    if (!name || std::find(known.begin(), known.end(), *name) != known.end()) continue;
    problems.add(entry->origin,
                 fmt::format("{}: no epoch has a metric \"{}\"", key, clip(printable(*name), 60)),
                 did_you_mean(*name, known));
  }
}

}  // namespace bcx::config
