#include "sweep/sweep_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <set>

#include "base/error.h"
#include "base/text.h"
#include "config/load_tree.h"
#include "config/merge.h"
#include "config/overrides.h"
#include "config/resolve.h"
#include "config/schema_key.h"
#include "config/validate.h"
#include "sweep/parameters.h"
#include "sweep/sampler.h"
#include "tracker/reader.h"

namespace bcx::sweep {
namespace {

using config::Key;
using config::Node;
using config::Origin;
using config::Problems;
using config::Type;
using config::Value;

/// Of a grid, and of the largest that is checked point by point.
constexpr std::int64_t most_points = 100'000, most_checked = 1'000;

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
    base_ = root_;
    auto experiment = load({}, problems_);
    base_whole_ = problems_.empty();
    settings();
    axes();
    problems_.throw_if_any();
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
    if (const Node* found = root_.find("sweep")) section_ = *found;
    has_section_ = root_.erase("sweep");
    if (section_.is_table()) return;
    problems_.add(section_.origin, fmt::format("expected [sweep], got {}", describe(section_)));
    section_ = Node{};
  }

  /// The experiment with values set over it.
  config::Experiment load(const std::vector<std::string>& sets, Problems& problems) const {
    auto options = base_options_;
    options.sets.insert(options.sets.end(), sets.begin(), sets.end());
    return config::load_tree(base_, options, catalog_, problems);
  }

  // [sweep] itself.
  void settings() {
    std::vector<std::string> known{"parameter"};
    for (const auto& spec : sweep_keys()) known.push_back(spec.name);
    for (const auto& entry : section_.entries)
      if (std::find(known.begin(), known.end(), entry.key) == known.end())
        problems_.add(entry.origin,
                      fmt::format("unknown key \"{}\" in [sweep]", printable(clip(entry.key, 60))),
                      did_you_mean(entry.key.substr(0, 64), known));
    plan_.name = text("name");
    if (plan_.name.empty()) plan_.name = options_.load.file.stem().string();
    plan_.method = text("method");
    plan_.pruner = {text("pruner"), number("reduction"), number("min_epochs"),
                    number("startup_trials")};
    plan_.objective = text("objective");
    const auto direction = text("direction");
    plan_.maximize =
        direction.empty() ? !tracker::lower_is_better(plan_.objective) : direction == "maximize";
    plan_.trials = number("trials");
    plan_.epochs = number("epochs");
    plan_.seeds = number("seeds");
    plan_.attempts = number("attempts");
    plan_.out_of_memory = text("out_of_memory");
    plan_.seconds = budget();
    objective();
  }

  Value value(const char* name) {
    const auto spec = std::find_if(sweep_keys().begin(), sweep_keys().end(),
                                   [&](const auto& one) { return one.name == name; });
    const Node* node = section_.find(name);
    if (!node) return *spec->default_value;
    const auto checked = config::check_value(*spec, *node);
    if (checked.value) return *checked.value;
    problems_.add(node->origin, fmt::format("sweep.{}: {}", name, checked.mistake.what),
                  checked.mistake.remedy);
    return *spec->default_value;
  }
  std::string text(const char* name) { return std::get<std::string>(value(name)); }
  std::int64_t number(const char* name) { return std::get<std::int64_t>(value(name)); }
  Origin place(const char* name) const {
    const Node* node = section_.find(name);
    if (node) return node->origin;
    if (has_section_) return section_.origin;
    Origin origin;
    origin.kind = Origin::Kind::file;
    origin.file = options_.load.file.string();
    return origin;
  }

  /// `90m`, `2h`, `1.5d`, `45s`.
  double budget() {
    const auto said = text("budget");
    if (said.empty()) return 0;
    static const std::map<char, double> units{{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
    std::size_t used = 0;
    double amount = 0;
    try {
      amount = std::stod(said, &used);
    } catch (const std::exception&) {
    }
    const auto unit = used + 1 == said.size() ? units.find(said.back()) : units.end();
    if (unit != units.end() && std::isfinite(amount) && amount > 0) return amount * unit->second;
    problems_.add(place("budget"),
                  fmt::format("sweep.budget: expected a time such as \"2h\", got \"{}\"",
                              printable(clip(said, 60))),
                  "s, m, h and d are seconds, minutes, hours and days");
    return 0;
  }

  void objective() {
    const auto& name = plan_.objective;
    if (name.starts_with("test."))
      return problems_.add(place("objective"),
                           fmt::format("sweep.objective: trials never look at the test part, and "
                                       "\"{}\" is of it",
                                       printable(name)),
                           "choose by val." + name.substr(5) +
                               "; --confirm 3 evaluates the winner on the test part");
    std::vector<std::string> known{"train.loss", "train.accuracy"};
    for (const auto& metric : options_.load.metrics) known.push_back("val." + metric);
    if (options_.load.metrics.empty() || std::find(known.begin(), known.end(), name) != known.end())
      return;
    problems_.add(place("objective"),
                  fmt::format("sweep.objective: no epoch measures \"{}\"", printable(name)),
                  did_you_mean(name.substr(0, 64), known));
  }

  // [[sweep.parameter]].
  void axes() {
    std::vector<Node> tables;
    if (const Node* list = section_.find("parameter")) {
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
      problems_.add(place("parameter"), "a sweep needs at least one parameter",
                    "write [[sweep.parameter]], or train.batch_size=16,32 on the command line");
    for (const auto& table : tables) {
      const bool fine = problems_.empty();
      auto axis = read_axis(table, problems_);
      if (axis.axis.key.empty()) continue;
      check_key(axis);
      if (problems_.empty() || fine || base_whole_) try_values(axis);
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

  static std::string set_text(const std::string& key, const Value& value) {
    return key + "=" + config::to_toml(value);
  }

  /// Every value set over the experiment: what is wrong with it is told where it was written, and
  /// what is right gets its key's type.
  void try_values(WrittenAxis& written) {
    auto& axis = written.axis;
    std::set<std::string> told;
    for (std::size_t i = 0; i < written.tried.size(); ++i) {
      const auto& [node, origin] = written.tried[i];
      Value value = axis.scale == Axis::Scale::choices ? axis.choices[i]
                    : node.kind == Node::Kind::integer ? Value(node.integer)
                                                       : Value(node.real);
      std::vector<std::string> sets;
      for (const auto& [key, wanted] : axis.when)
        if (std::any_of(plan_.space.axes.begin(), plan_.space.axes.end(),
                        [&](const Axis& earlier) { return earlier.key == key; }))
          sets.push_back(set_text(key, wanted));
      sets.push_back(set_text(axis.key, value));
      Problems found;
      const auto experiment = load(sets, found);
      if (tell(found, written, origin, told)) continue;
      if (const auto typed = typed_value(experiment, axis.key, node);
          typed && axis.scale == Axis::Scale::choices)
        axis.choices[i] = *typed;
      else if (!typed && told.insert("none").second)
        problems_.add(written.key, fmt::format("the experiment has no key \"{}\" that is used",
                                               printable(axis.key)));
    }
  }

  /// Whether there was a mistake. One about the key itself is told once, where the key stands.
  bool tell(const Problems& found, const WrittenAxis& written, const Origin& origin,
            std::set<std::string>& told) {
    if (!base_whole_) return tell_own(found, written, origin, told);
    for (const auto& error : found.sorted()) {
      if (!told.insert(error.parts().what).second) continue;
      const bool of_key = error.parts().what.find("unknown key") != std::string::npos ||
                          error.parts().what.find("no element") != std::string::npos ||
                          error.parts().what.find("unknown section") != std::string::npos;
      const auto& at = of_key ? written.key : origin;
      problems_.add(at, Error(error.code(), {error.parts().what, at.text(), error.parts().remedy}));
    }
    return !found.empty();
  }

  /// When the experiment has mistakes of its own, only those that name the parameter are new.
  bool tell_own(const Problems& found, const WrittenAxis& written, const Origin& origin,
                std::set<std::string>& told) {
    bool any = false;
    for (const auto& error : found.sorted()) {
      if (error.parts().where != "--set " + written.axis.key) continue;
      any = true;
      if (told.insert(error.parts().what).second)
        problems_.add(
            origin, Error(error.code(), {error.parts().what, origin.text(), error.parts().remedy}));
    }
    return any || !found.empty();
  }

  /// The value as the experiment has it; a path is relative to where it was written.
  std::optional<Value> typed_value(const config::Experiment& experiment, const std::string& key,
                                   const Node& node) const {
    for (const auto& entry : experiment.resolved) {
      if (entry.key != key && entry.key != key_without_one(key)) continue;
      const auto* text = std::get_if<std::string>(&entry.value);
      if (text && entry.type == Type::path && *text != node.text)
        return config::absolute_path(node.text, node.origin,
                                     {options_.load.working_directory, options_.load.file});
      return entry.value;
    }
    return std::nullopt;
  }

  /// `augmentation.rotate#1.degrees` is called `augmentation.rotate.degrees`.
  static std::string key_without_one(std::string key) {
    if (const auto at = key.find("#1."); at != std::string::npos && at > 0 && key[at - 1] != '.')
      key.erase(at, 2);
    return key;
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
      problems_.add(place("trials"),
                    fmt::format("method \"{}\" needs to know when to end", plan_.method),
                    "set trials = 20, or a budget of time or epochs");
    if (plan_.pruner.name != "none" && plan_.pruner.min_epochs >= plan_.epochs_per_trial)
      problems_.add(place("pruner"),
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
      problems_.add(place("parameter"), "train.overfit_batches is set: nothing is validated",
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
      return problems_.add(place("parameter"), fmt::format("this grid has {:.3g} points", product),
                           "try fewer values, or use method = \"random\"");
    const auto sampler = make_sampler("grid", plan_.space, plan_.seed);
    std::set<std::string> told;
    for (std::int64_t i = 0; i < most_checked; ++i) {
      const auto point = sampler->propose(i, {});
      if (!point) return;
      std::vector<std::string> sets;
      for (const auto& [key, value] : *point) sets.push_back(set_text(key, value));
      Problems found;
      load(sets, found);
      for (const auto& error : found.sorted())
        if (told.insert(error.parts().what).second)
          problems_.add(place("parameter"),
                        fmt::format("{} (with {})", error.parts().what, text_of(*point)),
                        error.parts().remedy);
    }
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
  Node root_, base_, section_;
  bool has_section_ = false, base_whole_ = false;
  Plan plan_;
  std::vector<WrittenAxis> written_;
  std::vector<std::string> warnings_;
};

}  // namespace

const std::vector<config::ParamSpec>& sweep_keys() {
  static const std::vector<config::ParamSpec> keys{
      Key("name", Type::string, "What the sweep is called. Empty: as its file.").with(""),
      Key("method", Type::string, "How points are chosen.")
          .with("grid")
          .one_of({"grid", "random", "sobol", "tpe"}),
      Key("pruner", Type::string, "Which trials end early.")
          .with("none")
          .one_of({"none", "asha", "hyperband", "median"}),
      Key("reduction", Type::integer,
          "`asha`, `hyperband`: of so many trials one goes on at each rung.")
          .with(3)
          .at_least(2)
          .at_most(100),
      Key("min_epochs", Type::integer, "No trial is pruned before.").with(1).at_least(1),
      Key("startup_trials", Type::integer, "`median`: finished trials before any is pruned.")
          .with(5)
          .at_least(1),
      Key("objective", Type::string,
          "A metric of each epoch; a trial's value is its best. Never of the test part.")
          .with("val.auc"),
      Key("direction", Type::string, "Empty: minimize for losses and errors, else maximize.")
          .with("")
          .one_of({"", "minimize", "maximize"}),
      Key("trials", Type::integer, "Points to try. 0: all of a grid; else as the budget says.")
          .with(0)
          .at_least(0)
          .at_most(1'000'000),
      Key("budget", Type::string, "Time during which trials run: `\"2h\"`, `\"90m\"`. Empty: any.")
          .with(""),
      Key("epochs", Type::integer, "Epochs of all trials together. 0: any.").with(0).at_least(0),
      Key("seeds", Type::integer, "Runs of each point: experiment.seed, + 1, ...")
          .with(1)
          .at_least(1)
          .at_most(1000),
      Key("attempts", Type::integer,
          "How often a trial's process may die without getting on before the trial has failed.")
          .with(3)
          .at_least(1)
          .at_most(1000),
      Key("out_of_memory", Type::string,
          "What a trial that does not fit is: `infeasible`, or run again in `micro_batches` of "
          "half the size, with the same effective batch.")
          .with("infeasible")
          .one_of({"infeasible", "micro_batches"})};
  return keys;
}

SweepFile load_sweep(const SweepOptions& options, const config::Catalog& catalog) {
  return SweepReader(options, catalog).read();
}

}  // namespace bcx::sweep
