#include "sweep/sweep_settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "base/text.h"
#include "config/schema_key.h"
#include "config/validate.h"
#include "tracker/reader.h"

namespace bcx::sweep {
namespace {

using config::Key;
using config::Node;
using config::Origin;
using config::Problems;
using config::Type;
using config::Value;

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

class SettingsReader {
 public:
  SettingsReader(const WrittenSweep& written, const config::LoadOptions& load, Plan& plan,
                 Problems& problems)
      : written_(written), load_(load), plan_(plan), problems_(problems) {}

  void read() {
    std::vector<std::string> known{"parameter"};
    for (const auto& spec : sweep_keys()) known.push_back(spec.name);
    for (const auto& entry : written_.table.entries)
      if (std::find(known.begin(), known.end(), entry.key) == known.end())
        problems_.add(entry.origin,
                      fmt::format("unknown key \"{}\" in [sweep]", printable(clip(entry.key, 60))),
                      did_you_mean(entry.key.substr(0, 64), known));
    plan_.name = text("name");
    if (plan_.name.empty()) plan_.name = load_.file.stem().string();
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

 private:
  Value value(const char* name) {
    const auto spec = std::find_if(sweep_keys().begin(), sweep_keys().end(),
                                   [&](const auto& one) { return one.name == name; });
    const Node* node = written_.table.find(name);
    if (!node) return *spec->default_value;
    const auto checked = config::check_value(*spec, *node);
    if (checked.value) return *checked.value;
    problems_.add(node->origin, fmt::format("sweep.{}: {}", name, checked.mistake.what),
                  checked.mistake.remedy);
    return *spec->default_value;
  }
  std::string text(const char* name) { return std::get<std::string>(value(name)); }
  std::int64_t number(const char* name) { return std::get<std::int64_t>(value(name)); }

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
    problems_.add(written_.place("budget"),
                  fmt::format("sweep.budget: expected a time such as \"2h\", got \"{}\"",
                              printable(clip(said, 60))),
                  "s, m, h and d are seconds, minutes, hours and days");
    return 0;
  }

  void objective() {
    const auto& name = plan_.objective;
    if (name.starts_with("test."))
      return problems_.add(written_.place("objective"),
                           fmt::format("sweep.objective: trials never look at the test part, and "
                                       "\"{}\" is of it",
                                       printable(name)),
                           "choose by val." + name.substr(5) +
                               "; --confirm 3 evaluates the winner on the test part");
    std::vector<std::string> known{"train.loss", "train.accuracy"};
    for (const auto& metric : load_.metrics) known.push_back("val." + metric);
    if (load_.metrics.empty() || std::find(known.begin(), known.end(), name) != known.end()) return;
    problems_.add(written_.place("objective"),
                  fmt::format("sweep.objective: no epoch measures \"{}\"", printable(name)),
                  did_you_mean(name.substr(0, 64), known));
  }

  const WrittenSweep& written_;
  const config::LoadOptions& load_;
  Plan& plan_;
  Problems& problems_;
};

}  // namespace

Origin WrittenSweep::place(const char* key) const {
  const Node* node = table.find(key);
  return node ? node->origin : origin;
}

void read_settings(const WrittenSweep& written, const config::LoadOptions& load, Plan& plan,
                   Problems& problems) {
  SettingsReader(written, load, plan, problems).read();
}

}  // namespace bcx::sweep
