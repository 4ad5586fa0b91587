// Conflicts among [train], [schedule], [optimizer] and [loss].
#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "base/text.h"
#include "config/conflict_rules.h"

namespace bcx::config {
namespace {

bool ends_low(const std::string& schedule) {
  return schedule == "cosine" || schedule == "cosine_restarts" || schedule == "polynomial";
}

class TrainConflicts : ConflictRules {
 public:
  explicit TrainConflicts(const ConflictRules& rules) : ConflictRules(rules) {}

  void run() {
    stages();
    schedule();
    momentum();
    sampler();
    loss();
  }

 private:
  void stages() {
    const auto& train = experiment_.train;
    for (std::size_t i = 0; i < train.stages.size(); ++i) {
      const std::string key = fmt::format("train.stage.#{}.epoch", i + 1);
      const bool late = train.stages[i].epoch >= train.epochs;
      if (late)
        conflict({key.c_str(), "train.epochs"},
                 fmt::format("{}: expected fewer epochs than train.epochs, {}, got {}", key,
                             train.epochs, train.stages[i].epoch),
                 "it is how many epochs come before the stage");
      if (!late && i > 0 && train.stages[i].epoch <= train.stages[i - 1].epoch)
        conflict({key.c_str()}, fmt::format("{}: expected more than the stage before, {}, got {}",
                                            key, train.stages[i - 1].epoch, train.stages[i].epoch));
    }
  }

  void schedule() {
    const auto& schedule = experiment_.schedule;
    const bool epochs = schedule.unit == "epoch";
    const double horizon = schedule.horizon > 0 ? schedule.horizon
                           : epochs             ? static_cast<double>(experiment_.train.epochs)
                                                : 0.0;
    if (known({"schedule.horizon", "schedule.unit", "train.epochs"}) && horizon > 0 &&
        schedule.warmup > horizon)
      conflict({"schedule.warmup", "schedule.horizon"},
               fmt::format("schedule.warmup: {} is longer than the schedule, {}",
                           shortest(schedule.warmup), shortest(horizon)));
    if (schedule.name == "one_cycle" && schedule.warmup > 0)
      conflict({"schedule.warmup", "schedule.name"},
               "schedule.warmup: one_cycle has its own warm-up", "set schedule.pct_start instead");
    if (schedule.name == "multistep" && schedule.milestones.empty())
      conflict({"schedule.milestones", "schedule.name"},
               "schedule.milestones: multistep needs to know where its steps are",
               "set it, say to [10, 15]");
    if (std::adjacent_find(schedule.milestones.begin(), schedule.milestones.end(),
                           std::greater_equal<>()) != schedule.milestones.end())
      conflict({"schedule.milestones"}, "schedule.milestones: expected numbers that rise",
               "sort them");
    const auto* gamma = resolution_.find("schedule.gamma");
    if (schedule.name == "exponential" && gamma && is_default(*gamma))
      conflict({"schedule.name"},
               fmt::format("schedule.gamma: {} in each {} is hardly meant",
                           shortest(schedule.gamma), schedule.unit),
               "set it, say to 0.95");
    if (known({"schedule.name"}) && ends_low(schedule.name) &&
        schedule.min_learning_rate > experiment_.learning_rate)
      conflict(
          {"schedule.min_learning_rate", "optimizer.learning_rate"},
          fmt::format("schedule.min_learning_rate: {} is above optimizer.learning_rate, {}",
                      shortest(schedule.min_learning_rate), shortest(experiment_.learning_rate)));
  }

  void momentum() {
    const auto& params = experiment_.optimizer.params;
    const auto value = [&](const char* name) {
      const auto found = params.find(name);
      const auto* number = found == params.end() ? nullptr : std::get_if<double>(&found->second);
      return number ? *number : 0.0;
    };
    const auto nesterov = params.find("nesterov");
    if (nesterov == params.end() || nesterov->second != Value(true) ||
        !known({"optimizer.momentum"}))
      return;
    if (value("momentum") == 0.0)
      conflict({"optimizer.nesterov", "optimizer.momentum"},
               "optimizer.nesterov: it looks ahead along the momentum, and optimizer.momentum is 0",
               "set optimizer.momentum, say to 0.9");
    else if (value("dampening") != 0.0)
      conflict({"optimizer.nesterov", "optimizer.dampening"},
               "optimizer.nesterov: it needs optimizer.dampening = 0");
  }

  void sampler() {
    if (experiment_.train.sampler == "group_balanced" && experiment_.data.split.by == "image")
      conflict({"train.sampler", "data.split.by"},
               "train.sampler: group_balanced balances the groups of data.split.by, and by image "
               "there are none",
               "use \"balanced\", or split by an attribute");
  }

  void loss() {
    const auto& loss = experiment_.loss;
    if (loss.name != "binary_cross_entropy") return;
    if (const auto classes = experiment_.data.classes.size(); classes > 2)
      conflict(
          {"loss.name", "data.classes"},
          fmt::format("loss.name: binary_cross_entropy is for two classes, there are {}", classes),
          "use cross_entropy");
    if (loss.class_weights != decltype(loss.class_weights)(std::string("none")))
      conflict({"loss.class_weights", "loss.name"},
               "loss.class_weights: binary_cross_entropy takes the weight of its classes from "
               "loss.pos_weight",
               "leave it out");
  }
};

}  // namespace

void check_train_conflicts(const ConflictRules& rules) {
  TrainConflicts(rules).run();
}

}  // namespace bcx::config
