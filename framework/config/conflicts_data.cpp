// Conflicts among [data], and of it with the model and the loss.
#include <fmt/format.h>

#include <set>

#include "base/text.h"
#include "config/conflict_rules.h"

namespace bcx::config {
namespace {

class DataConflicts : ConflictRules {
 public:
  explicit DataConflicts(const ConflictRules& rules) : ConflictRules(rules) {}

  void run() {
    root();
    split();
    classes();
    sizes();
    head();
  }

 private:
  void root() {
    if (known({"data.root"}) && experiment_.data.root.empty())
      conflict({"data.root"}, "data.root: expected a path, got an empty string",
               "set it, or BCX_DATA");
  }

  void split() {
    const auto& split = experiment_.data.split;
    if (!known({"data.split.method"})) return;
    if (split.method == "holdout" && split.validation + split.test >= 1)
      conflict({"data.split.test", "data.split.validation"},
               fmt::format("data.split.validation and data.split.test leave nothing to train on: "
                           "expected a sum below 1, got {} + {}",
                           shortest(split.validation), shortest(split.test)));
    const std::int64_t folds =
        split.method == "repeated" ? split.folds * split.repeats : split.folds;
    if ((split.method == "kfold" || split.method == "repeated") && split.fold >= folds)
      conflict(
          {"data.split.fold", "data.split.folds", "data.split.repeats"},
          fmt::format("data.split.fold: expected an integer below {}, got {}", folds, split.fold),
          "folds count from 0");
    if (split.method == "holdout" && split.fold > 0)
      conflict(
          {"data.split.fold", "data.split.method"},
          fmt::format("data.split.fold: method \"holdout\" has one split only, got {}", split.fold),
          "set method = \"kfold\"");
    if (split.method == "files" && split.files.empty())
      conflict({"data.split.method", "data.split.files"},
               "data.split.files is empty, and method \"files\" reads the split from there");
    const auto count = static_cast<std::int64_t>(split.files.size());
    if (split.method == "files" && count > 0 && split.fold >= count)
      conflict(
          {"data.split.fold", "data.split.files"},
          fmt::format("data.split.fold: expected an integer below {}, got {}", count, split.fold),
          "there is one fold file for each fold, from 0");
    if (split.method != "files" && !split.files.empty())
      conflict({"data.split.files", "data.split.method"},
               fmt::format("data.split.files is not used by method \"{}\"", split.method),
               "set method = \"files\"");
  }

  void classes() {
    const auto& data = experiment_.data;
    if (known({"data.classes"})) {
      const std::set<std::string> unique(data.classes.begin(), data.classes.end());
      if (unique.size() != data.classes.size())
        conflict({"data.classes"}, "data.classes: a class is named twice");
      else if (data.classes.size() == 1)
        conflict({"data.classes"}, "data.classes: expected at least two classes, got one");
      if (!data.classes.empty() && !data.positive.empty() && unique.count(data.positive) == 0)
        conflict(
            {"data.positive", "data.classes"},
            fmt::format("data.positive: \"{}\" is not in data.classes", shown("data.positive")),
            did_you_mean(data.positive, data.classes));
    }
    const auto* weights = std::get_if<std::vector<double>>(&experiment_.loss.class_weights);
    if (weights && !data.classes.empty() && weights->size() != data.classes.size())
      conflict({"loss.class_weights", "data.classes"},
               fmt::format("loss.class_weights: expected one weight for each of {} classes, got {}",
                           data.classes.size(), weights->size()));
    else if (weights && weights->size() < 2)
      conflict({"loss.class_weights"},
               fmt::format("loss.class_weights: expected one weight for each class, got {}",
                           weights->size()));
  }

  void sizes() {
    const auto& data = experiment_.data;
    if (data.cache_size > 0 && data.cache_size < data.image_size)
      conflict({"data.cache_size", "data.image_size"},
               fmt::format("data.cache_size: {} is smaller than data.image_size, {}",
                           data.cache_size, data.image_size),
               "leave it out, or make it larger");
    const auto* backbone = catalog_.find(ComponentKind::backbone, experiment_.model.backbone.name);
    const auto smallest = backbone ? backbone->facts.smallest_size : std::nullopt;
    if (smallest && data.image_size < *smallest)
      conflict({"data.image_size", "model.backbone"},
               fmt::format("data.image_size: {} needs at least {}, got {}", backbone->name,
                           *smallest, data.image_size));
  }

  void head() {
    const auto& head = experiment_.model.head;
    if (head.batch_norm && head.kind == "new" && experiment_.train.batch_size == 1)
      conflict({"train.batch_size", "model.head.batch_norm"},
               "train.batch_size: batch normalisation in the head needs at least 2, got 1",
               "or set model.head.batch_norm = false");
    const auto classes = experiment_.data.classes.size();
    if (head.kind == "published" && classes > 0 && classes != 1000)
      conflict({"model.head.kind", "data.classes"},
               fmt::format("model.head.kind: the published classifier knows ImageNet's 1,000 "
                           "classes, data.classes names {}",
                           classes),
               "use \"new\"");
  }
};

}  // namespace

void check_data_conflicts(const ConflictRules& rules) {
  DataConflicts(rules).run();
}

}  // namespace bcx::config
