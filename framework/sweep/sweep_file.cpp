#include "sweep/sweep_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>

#include "base/text.h"
#include "config/load_tree.h"
#include "config/merge.h"
#include "config/overrides.h"
#include "sweep/base_experiment.h"
#include "sweep/parameters.h"
#include "sweep/sweep_settings.h"

namespace bcx::sweep {
namespace {

using config::Node;
using config::Origin;
using config::Problems;
using config::Value;

/// Of a grid.
constexpr std::int64_t most_points = 100'000;

/// What decides where a run is written, and what sweeps decide themselves.
const std::vector<std::string> not_for_sweeps{
    "tracker.path",  "plugins.path",  "experiment.name",      "experiment.tags",
    "evaluate.test", "train.threads", "train.overfit_batches"};

class SweepReader {
 public:
  SweepReader(const SweepOptions& options, const config::Catalog& catalog)
      : options_(options), catalog_(catalog) {}

  SweepFile read() {
    auto sources =
        config::read_sources(options_.load.file, options_.load.working_directory, problems_);
    if (sources.failed) problems_.throw_if_any();
    root_ = std::move(sources.root);
    part_options();
    take_section();
    base_.emplace(std::move(root_), std::move(base_options_), catalog_, problems_);
    read_settings(section_, options_.load, plan_, problems_);
    axes();
    problems_.throw_if_any();
    auto experiment = base_->experiment();
    finish(experiment);
    problems_.throw_if_any();
    experiment.source_text = std::move(sources.main_text);
    return {std::move(plan_), std::move(experiment), std::move(warnings_)};
  }

 private:
  // --set sweep.trials=8 belongs to [sweep], all others to the experiment.
  void part_options() {
    base_options_ = options_.load;
    config::LoadOptions ours = options_.load;
    ours.options.clear();
    ours.sets.clear();
    base_options_.sets.clear();
    for (const auto& set : options_.load.sets)
      (trim(set).starts_with("sweep.") ? ours.sets : base_options_.sets).push_back(set);
    config::apply_command_line(root_, ours, problems_);
  }

  void take_section() {
    section_.origin.kind = Origin::Kind::file;
    section_.origin.file = options_.load.file.string();
    if (const Node* found = root_.find("sweep")) {
      section_ = {*found, found->origin};
      root_.erase("sweep");
    }
    if (section_.table.is_table()) return;
    problems_.add(section_.origin,
                  fmt::format("expected [sweep], got {}", describe(section_.table)));
    section_.table = Node{};
  }

  // [[sweep.parameter]].
  void axes() {
    std::vector<Node> tables;
    if (const Node* list = section_.table.find("parameter")) {
      if (!list->is_table_list())
        problems_.add(list->origin,
                      fmt::format("expected [[sweep.parameter]], got {}", describe(*list)),
                      list->is_table() ? "write it in double brackets" : "");
      else
        tables = list->items;
    }
    for (auto& given : parameter_nodes(options_.parameters, problems_)) {
      const auto same = std::find_if(tables.begin(), tables.end(), [&](const Node& table) {
        const Node* key = table.find("key");
        return key && key->text == given.find("key")->text;
      });
      if (same == tables.end())
        tables.push_back(std::move(given));
      else
        *same = std::move(given);
    }
    if (tables.empty() && options_.parameters.empty())
      problems_.add(section_.place("parameter"), "a sweep needs at least one parameter",
                    "write [[sweep.parameter]], or train.batch_size=16,32 on the command line");
    for (const auto& table : tables) {
      const bool fine = problems_.empty();
      auto axis = read_axis(table, problems_);
      if (axis.axis.key.empty()) continue;
      check_key(axis);
      if (problems_.empty() || fine || base_->is_whole())
        base_->try_values(axis, plan_.space.axes, problems_);
      plan_.space.axes.push_back(axis.axis);
      written_.push_back(std::move(axis));
    }
  }

  void check_key(const WrittenAxis& axis) {
    const auto& key = axis.axis.key;
    if (std::find(not_for_sweeps.begin(), not_for_sweeps.end(), key) != not_for_sweeps.end())
      problems_.add(axis.key, fmt::format("{} cannot be a parameter of a sweep", printable(key)));
    for (const auto& earlier : plan_.space.axes)
      if (earlier.key == key)
        problems_.add(axis.key, fmt::format("{} is a parameter already", printable(key)));
    if (key == "experiment.seed" && plan_.seeds > 1)
      problems_.add(axis.key, "experiment.seed is a parameter, and sweep.seeds sets it too",
                    "leave one of them out");
    if (key == "train.epochs" && plan_.pruner.name != "none")
      problems_.add(axis.key, "a sweep that prunes decides how long trials train",
                    "set train.epochs to the longest, and leave this parameter out");
    for (std::size_t i = 0; i < axis.when.size(); ++i) {
      const auto& condition = *std::next(axis.axis.when.begin(), static_cast<std::ptrdiff_t>(i));
      check_condition(condition, axis);
    }
  }

  void check_condition(const std::pair<const std::string, Value>& condition,
                       const WrittenAxis& axis) {
    std::vector<std::string> keys;
    for (const auto& earlier : plan_.space.axes) {
      keys.push_back(earlier.key);
      if (earlier.key != condition.first) continue;
      const auto& choices = earlier.choices;
      if (earlier.ordered() ||
          std::find(choices.begin(), choices.end(), condition.second) != choices.end())
        return;
      return problems_.add(axis.when.front().origin,
                           fmt::format("when: {} is never {}", printable(condition.first),
                                       config::to_toml(condition.second)),
                           "its choices are " + text_of(earlier));
    }
    problems_.add(axis.when.front().origin,
                  fmt::format("when: \"{}\" is no parameter before this one",
                              printable(clip(condition.first, 60))),
                  did_you_mean(condition.first.substr(0, 64), keys));
  }

  // All together.
  void finish(const config::Experiment& experiment) {
    plan_.seed = experiment.seed;
    plan_.epochs_per_trial = experiment.train.epochs;
    plan_.batch_size = experiment.train.batch_size;
    plan_.accumulate = experiment.train.accumulate;
    plan_.threads = experiment.train.threads;
    auto said = experiment;
    std::erase_if(said.resolved, [](const auto& entry) { return entry.key == "tracker.path"; });
    plan_.experiment = config::said_text(said);  // each trial is told where the sweep is recorded
    plan_.plugin_paths = options_.plugin_paths;
    const bool endless = plan_.trials == 0 && plan_.seconds == 0 && plan_.epochs == 0;
    if (plan_.method != "grid" && endless)
      problems_.add(section_.place("trials"),
                    fmt::format("method \"{}\" needs to know when to end", plan_.method),
                    "set trials = 20, or a budget of time or epochs");
    if (plan_.pruner.name != "none" && plan_.pruner.min_epochs >= plan_.epochs_per_trial)
      problems_.add(section_.place("pruner"),
                    fmt::format("nothing can be pruned: trials have {} epochs, and none ends "
                                "before its {}th",
                                plan_.epochs_per_trial, plan_.pruner.min_epochs),
                    "raise train.epochs or lower sweep.min_epochs");
    if (plan_.method == "grid") grid();
    horizon(experiment);
    if (experiment.train.precision == "auto" &&
        std::none_of(plan_.space.axes.begin(), plan_.space.axes.end(),
                     [](const Axis& axis) { return axis.key == "train.precision"; }))
      warnings_.push_back(
          "train.precision is \"auto\": each trial takes what is faster just then, and trials may "
          "differ for that alone; set fp32 or bf16");
    if (experiment.train.overfit_batches > 0)
      problems_.add(section_.place("parameter"),
                    "train.overfit_batches is set: nothing is validated",
                    "leave it out of a sweep");
  }

  void grid() {
    bool counted = true;
    double product = 1;
    for (const auto& written : written_) {
      const auto& axis = written.axis;
      if (axis.ordered() && axis.scale != Axis::Scale::integer && axis.points < 1) {
        counted = false;
        problems_.add(written.key, "a grid needs to know how many values to try",
                      written.key.kind == Origin::Kind::command_line
                          ? "write log(LOW,HIGH,4), or use --method random"
                          : "add points = 4, or use method = \"random\"");
      } else {
        product *= static_cast<double>(axis.scale == Axis::Scale::integer && axis.points == 0
                                           ? static_cast<std::int64_t>(axis.high - axis.low) + 1
                                           : std::ssize(axis.grid()));
      }
    }
    if (!counted) return;
    if (product > static_cast<double>(most_points))
      return problems_.add(section_.place("parameter"),
                           fmt::format("this grid has {:.3g} points", product),
                           "try fewer values, or use method = \"random\"");
    base_->try_grid(plan_, section_.place("parameter"), problems_);
  }

  void horizon(const config::Experiment& experiment) {
    static const std::set<std::string> bounded{"cosine", "polynomial", "one_cycle"};
    if (plan_.pruner.name == "none" || !bounded.contains(experiment.schedule.name)) return;
    warnings_.push_back(fmt::format(
        "the {} schedule ends at {}: trials are compared and pruned in its first epochs, and one "
        "that is promoted or extended keeps this horizon",
        experiment.schedule.name,
        experiment.schedule.horizon > 0
            ? fmt::format("{:g} {}s", experiment.schedule.horizon, experiment.schedule.unit)
            : fmt::format("epoch {}", experiment.train.epochs)));
  }

  const SweepOptions& options_;
  const config::Catalog& catalog_;
  config::LoadOptions base_options_;
  Problems problems_;
  Node root_;
  WrittenSweep section_;
  std::optional<BaseExperiment> base_;
  Plan plan_;
  std::vector<WrittenAxis> written_;
  std::vector<std::string> warnings_;
};

}  // namespace

SweepFile load_sweep(const SweepOptions& options, const config::Catalog& catalog) {
  return SweepReader(options, catalog).read();
}

}  // namespace bcx::sweep
