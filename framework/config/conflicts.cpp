#include "config/conflicts.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <map>
#include <set>

#include "base/text.h"

namespace bcx::config {
namespace {

using Keys = std::initializer_list<const char*>;

/// A number that takes the whole of `text`.
std::optional<double> whole_number(const std::string& text) {
  if (text.empty() || text.find_first_not_of("0123456789.+-eE") != std::string::npos)
    return std::nullopt;
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  return *end == '\0' ? std::optional(value) : std::nullopt;
}

bool is_device(const std::string& text) {
  if (text == "auto" || text == "cpu" || text == "cuda") return true;
  return text.starts_with("cuda:") && text.size() > 5 && text.size() <= 8 &&
         std::all_of(text.begin() + 5, text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool ends_low(const std::string& schedule) {
  return schedule == "cosine" || schedule == "cosine_restarts" || schedule == "polynomial";
}

bool is_threshold(const std::string& text) {
  if (text == "youden") return true;
  constexpr std::string_view cost = "cost=";
  if (text.starts_with(cost)) {
    const auto number = whole_number(text.substr(cost.size()));
    return number && *number > 0 && *number <= 1e9;
  }
  const auto at = text.find(">=");
  const bool rule = text.starts_with("sensitivity>=") || text.starts_with("specificity>=");
  const auto number = whole_number(rule ? text.substr(at + 2) : text);
  return number && *number >= 0 && *number <= 1;
}

class Conflicts {
 public:
  Conflicts(const Experiment& experiment, const Resolution& resolution, const Catalog& catalog,
            Problems& problems)
      : experiment_(experiment), resolution_(resolution), catalog_(catalog), problems_(problems) {}

  void run() {
    texts();
    root();
    split();
    classes();
    sizes();
    head();
    stages();
    schedule();
    averages();
    checkpoints();
    freezing();
    momentum();
    sampler();
    loss();
  }

 private:
  /// Reports at the first of `keys` that somebody said, unless one of them was wrong already.
  void conflict(Keys keys, std::string what, std::string remedy = {}) {
    const Experiment::Resolved* place = nullptr;
    for (const char* key : keys) {
      const auto* entry = resolution_.find(key);
      if (!entry) return;
      if (!place || (is_default(*place) && !is_default(*entry))) place = entry;
    }
    problems_.add(place->origin, std::move(what), std::move(remedy));
  }

  static bool is_default(const Experiment::Resolved& entry) {
    return entry.origin.kind == Origin::Kind::schema_default ||
           entry.origin.kind == Origin::Kind::manifest_default;
  }

  bool known(Keys keys) const {
    return std::all_of(keys.begin(), keys.end(),
                       [&](const char* key) { return resolution_.find(key) != nullptr; });
  }

  std::string shown(const char* key) const {
    return clip(printable(resolution_.get<std::string>(key)), 60);
  }

  void texts() {
    if (known({"train.device"}) && !is_device(experiment_.train.device))
      conflict({"train.device"},
               fmt::format(
                   "train.device: expected \"auto\", \"cpu\", \"cuda\" or \"cuda:N\", got \"{}\"",
                   shown("train.device")));
    if (known({"evaluate.threshold"}) && !is_threshold(experiment_.evaluate.threshold))
      conflict({"evaluate.threshold"},
               fmt::format("evaluate.threshold: expected a number from 0 to 1, \"youden\", "
                           "\"sensitivity>=X\", \"specificity>=X\" or \"cost=C\", got \"{}\"",
                           shown("evaluate.threshold")));
    weights();
  }

  void weights() {
    const auto& text = experiment_.model.weights;
    if (!known({"model.weights"}) || text == "none" || text == "imagenet" ||
        text.ends_with(".safetensors"))
      return;
    const std::vector<std::string> words = {"none", "imagenet"};
    const std::string said = std::filesystem::path(text).filename().string();
    conflict(
        {"model.weights"},
        fmt::format("model.weights: expected \"none\", \"imagenet\" or a path of a .safetensors "
                    "file, got \"{}\"",
                    clip(printable(said), 60)),
        text.ends_with(".pth") || text.ends_with(".pt") ? "tools/convert_weights makes one of it"
                                                        : did_you_mean(said, words));
  }

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

  const Experiment& experiment_;
  const Resolution& resolution_;
  const Catalog& catalog_;
  Problems& problems_;
};

/// What the training loop adds to each epoch by itself.
const std::vector<std::string>& loop_metrics() {
  static const std::vector<std::string> names{
      "train.loss", "train.accuracy",    "train.skipped_steps", "learning_rate",
      "time.epoch", "images_per_second", "memory.peak"};
  return names;
}

}  // namespace

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

void check_conflicts(const Experiment& experiment, const Resolution& resolution,
                     const Catalog& catalog, Problems& problems) {
  Conflicts(experiment, resolution, catalog, problems).run();
}

}  // namespace bcx::config
