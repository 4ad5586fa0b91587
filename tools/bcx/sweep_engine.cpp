// `bcx sweep ask | tell`: for other engines, which decide what runs, or where.

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/paths.h"
#include "base/text.h"
#include "config/document.h"
#include "json_text.h"
#include "sweep_commands.h"
#include "sweep_text.h"
#include "sweep_worker.h"
#include "tracker_text.h"

namespace bcx::cli {
namespace {

struct Options {
  std::string which = "@last", tracker, message;
  std::vector<std::string> values;
  std::int64_t trial = 0;
  std::optional<double> value;
  bool json = false, failed = false, infeasible = false;
};

std::optional<double> number_of(const config::Value& value) {
  if (const auto* whole = std::get_if<std::int64_t>(&value)) return static_cast<double>(*whole);
  if (const auto* real = std::get_if<double>(&value)) return *real;
  return std::nullopt;
}

config::Value value_of(const std::string& text) {
  try {
    const auto document = config::parse_document("v = " + text, text);
    if (const auto* node = document.find("v"); node && document.entries.size() == 1) {
      if (node->kind == config::Node::Kind::boolean) return node->boolean;
      if (node->kind == config::Node::Kind::integer) return node->integer;
      if (node->kind == config::Node::Kind::real) return node->real;
      if (node->kind == config::Node::Kind::string) return node->text;
    }
  } catch (const Error&) {
  }
  return text;
}

/// The value as the parameter has it. Throws (usage) when it is none of its values.
config::Value checked(const sweep::Axis& axis, const std::string& text) {
  const auto value = value_of(text);
  const auto refuse = [&]() -> config::Value {
    throw Error(ExitCode::usage, {fmt::format("{} is no value of {}", printable(text), axis.key),
                                  "", "it takes " + sweep::text_of(axis)});
  };
  if (axis.scale == sweep::Axis::Scale::choices) {
    for (const auto& choice : axis.choices)
      if (choice == value || (number_of(choice) && number_of(choice) == number_of(value)) ||
          config::to_toml(choice) == text)
        return choice;
    return refuse();
  }
  const auto number = number_of(value);
  if (!number || *number < axis.low || *number > axis.high) return refuse();
  if (axis.scale != sweep::Axis::Scale::integer) return *number;
  return std::holds_alternative<std::int64_t>(value) ? value : refuse();
}

/// `train.batch_size=32 ...` as a point: every active parameter once.
std::optional<sweep::Point> point_of(const sweep::Plan& plan,
                                     const std::vector<std::string>& values) {
  if (values.empty()) return std::nullopt;
  if (plan.seeds > 1)
    throw Error(ExitCode::usage, {"this sweep runs each point with several seeds", plan.name,
                                  "let it choose the points: bcx sweep ask without values"});
  std::map<std::string, std::string> given;
  std::vector<std::string> keys;
  for (const auto& axis : plan.space.axes) keys.push_back(axis.key);
  for (const auto& text : values) {
    const auto equals = text.find('=');
    const auto key = text.substr(0, equals);
    if (equals == std::string::npos || std::find(keys.begin(), keys.end(), key) == keys.end())
      throw Error(ExitCode::usage,
                  {fmt::format("\"{}\" is no parameter of this sweep", printable(clip(key, 60))),
                   plan.name, did_you_mean(key.substr(0, 64), keys)});
    given[key] = text.substr(equals + 1);
  }
  sweep::Point point;
  for (const auto& axis : plan.space.axes) {
    const auto found = given.find(axis.key);
    if (axis.active(point) != (found != given.end()))
      throw Error(ExitCode::usage,
                  {axis.active(point) ? axis.key + " has no value"
                                      : axis.key + " has a value where it is not used",
                   plan.name, "give each parameter as KEY=VALUE"});
    if (found != given.end()) point[axis.key] = checked(axis, found->second);
  }
  return point;
}

int ask(const Options& options) {
  sweep::Ledger ledger(tracker_path(options.tracker), options.which);
  const auto trial = ledger.ask(point_of(ledger.plan(), options.values));
  if (options.json && !trial) {
    fmt::print("null\n");
    return 0;
  }
  if (!trial) {
    fmt::print(stderr, "there is nothing left to try\n");
    return 0;
  }
  const auto command = trial_command(ledger, *trial, executable_path().string(), "");
  if (options.json) {
    auto j = trial_json(ledger, *trial);
    j["command"] = command;
    fmt::print("{}\n", dump(j));
    return 0;
  }
  fmt::print("trial {} {}: {}\n{}\n", trial->number(), trial->row.state, sweep::text_of(trial->set),
             join(command, " "));
  return 0;
}

int tell(const Options& options) {
  sweep::Ledger ledger(tracker_path(options.tracker), options.which);
  if (options.failed)
    ledger.tell(options.trial, std::nullopt,
                options.message.empty() ? "said another engine" : options.message);
  else if (options.infeasible || options.value)
    ledger.tell(options.trial, options.value, "");
  else
    ledger.settle(options.trial, std::nullopt);
  const auto all = ledger.trials();
  const auto found = std::find_if(
      all.begin(), all.end(), [&](const auto& trial) { return trial.number() == options.trial; });
  if (found == all.end())
    throw Error(ExitCode::usage,
                {fmt::format("sweep {} has no trial {}", ledger.sweep().name, options.trial), "",
                 "`bcx sweep show` lists them"});
  if (options.json)
    fmt::print("{}\n", dump(trial_json(ledger, *found)));
  else
    fmt::print("trial {} {}{}\n", found->number(), found->row.state,
               found->row.value
                   ? fmt::format(": {} {}", ledger.plan().objective, number_text(*found->row.value))
                   : "");
  return 0;
}

}  // namespace

void add_sweep_engine(CLI::App& group, Action& action) {
  auto ask_options = std::make_shared<Options>();
  auto* asking = group.add_subcommand(
      "ask", "A trial for another engine to run: with its command, chosen here or there");
  add_sweep_options(*asking, ask_options->which, ask_options->tracker);
  asking->add_option("VALUE", ask_options->values, "KEY=VALUE of each parameter: this point")
      ->type_name("KEY=VALUE");
  asking->add_flag("--json", ask_options->json, "As JSON; null: there is nothing left to try");
  asking->footer("Example: bcx sweep ask @last --json");
  asking->callback(
      [&action, ask_options] { action = [ask_options] { return ask(*ask_options); }; });

  auto tell_options = std::make_shared<Options>();
  auto* telling = group.add_subcommand(
      "tell", "How a trial that was asked for ended; without a value: as its run says");
  telling->add_option("SWEEP", tell_options->which, "Name, id, or @last")->required();
  telling->add_option("TRIAL", tell_options->trial, "Its number")->required();
  add_tracker_option(*telling, tell_options->tracker);
  auto* value = telling->add_option("--value", tell_options->value, "The objective");
  auto* failed = telling->add_flag("--failed", tell_options->failed, "It failed")->excludes(value);
  telling->add_flag("--infeasible", tell_options->infeasible, "It cannot run at all")
      ->excludes(value)
      ->excludes(failed);
  telling->add_option("--message", tell_options->message, "Why it failed")->needs(failed);
  telling->add_flag("--json", tell_options->json, "The trial as JSON");
  telling->footer("Example: bcx sweep tell @last 7 --value 0.93");
  telling->callback(
      [&action, tell_options] { action = [tell_options] { return tell(*tell_options); }; });
}

}  // namespace bcx::cli
