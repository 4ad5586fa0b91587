#include "sweep/plan.h"

#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/hash.h"
#include "base/text.h"

namespace bcx::sweep {
namespace {

using nlohmann::json;

constexpr int format_version = 1;
constexpr std::array scales{"choices", "uniform", "log_uniform", "integer"};

Axis axis_from_json(const json& j) {
  Axis axis;
  axis.key = j.at("key");
  for (std::size_t i = 0; i < scales.size(); ++i)
    if (j.at("scale") == scales[i]) axis.scale = static_cast<Axis::Scale>(i);
  for (const auto& choice : j.at("choices")) axis.choices.push_back(value_from_json(choice));
  axis.low = j.at("low");
  axis.high = j.at("high");
  axis.points = j.at("points");
  axis.when = point_from_json(j.at("when"));
  return axis;
}

/// What decides the trials.
json core_json(const Plan& plan) {
  json axes = json::array();
  for (const auto& axis : plan.space.axes) axes.push_back(to_json(axis));
  return {{"method", plan.method},
          {"pruner",
           {{"name", plan.pruner.name},
            {"reduction", plan.pruner.reduction},
            {"min_epochs", plan.pruner.min_epochs},
            {"startup_trials", plan.pruner.startup_trials}}},
          {"objective", plan.objective},
          {"maximize", plan.maximize},
          {"seeds", plan.seeds},
          {"out_of_memory", plan.out_of_memory},
          {"parameters", axes},
          {"seed", plan.seed},
          {"epochs_per_trial", plan.epochs_per_trial},
          {"batch_size", plan.batch_size},
          {"accumulate", plan.accumulate},
          {"experiment", plan.experiment}};
}

template <typename T>
config::Value list_from_json(const json& j) {
  return j.get<std::vector<T>>();
}

}  // namespace

std::int64_t Plan::trial_count() const {
  std::int64_t points = trials;
  if (method == "grid") {
    const auto all = space.grid_size();
    points = trials > 0 ? std::min(trials, all) : all;
  }
  return points * seeds;
}

json to_json(const Axis& axis) {
  json choices = json::array();
  for (const auto& choice : axis.choices) choices.push_back(to_json(choice));
  return {{"key", axis.key},           {"scale", scales[static_cast<std::size_t>(axis.scale)]},
          {"choices", choices},        {"low", axis.low},
          {"high", axis.high},         {"points", axis.points},
          {"when", to_json(axis.when)}};
}

json to_json(const config::Value& value) {
  return std::visit([](const auto& held) { return json(held); }, value);
}

config::Value value_from_json(const json& j) {
  if (j.is_boolean()) return j.get<bool>();
  if (j.is_number_integer()) return j.get<std::int64_t>();
  if (j.is_number()) return j.get<double>();
  if (j.is_string()) return j.get<std::string>();
  if (j.is_array() && !j.empty()) {
    if (j[0].is_boolean()) return list_from_json<bool>(j);
    if (j[0].is_number_integer()) return list_from_json<std::int64_t>(j);
    if (j[0].is_number()) return list_from_json<double>(j);
  }
  if (j.is_array()) return list_from_json<std::string>(j);
  throw Error(ExitCode::data, "no value of a parameter: " + printable(clip(j.dump(), 60)));
}

json to_json(const Point& point) {
  json j = json::object();
  for (const auto& [key, value] : point) j[key] = to_json(value);
  return j;
}

Point point_from_json(const json& j) {
  Point point;
  for (const auto& [key, value] : j.items()) point[key] = value_from_json(value);
  return point;
}

json to_json(const Plan& plan) {
  auto j = core_json(plan);
  j["format"] = format_version;
  j["name"] = plan.name;
  j["trials"] = plan.trials;
  j["seconds"] = plan.seconds;
  j["epochs"] = plan.epochs;
  j["attempts"] = plan.attempts;
  j["threads"] = plan.threads;
  j["plugin_paths"] = plan.plugin_paths;
  return j;
}

Plan plan_from_json(const json& j) {
  try {
    if (j.at("format") != format_version)
      throw Error(ExitCode::data, {"this sweep was begun by another version of bcx", "",
                                   "go on with that version, or begin another with --new"});
    Plan plan;
    plan.name = j.at("name");
    plan.method = j.at("method");
    const auto& pruner = j.at("pruner");
    plan.pruner = {pruner.at("name"), pruner.at("reduction"), pruner.at("min_epochs"),
                   pruner.at("startup_trials")};
    plan.objective = j.at("objective");
    plan.maximize = j.at("maximize");
    plan.trials = j.at("trials");
    plan.seconds = j.at("seconds");
    plan.epochs = j.at("epochs");
    plan.seeds = j.at("seeds");
    plan.attempts = j.at("attempts");
    plan.out_of_memory = j.at("out_of_memory");
    for (const auto& axis : j.at("parameters")) plan.space.axes.push_back(axis_from_json(axis));
    plan.seed = j.at("seed");
    plan.epochs_per_trial = j.at("epochs_per_trial");
    plan.batch_size = j.at("batch_size");
    plan.accumulate = j.at("accumulate");
    plan.threads = j.at("threads");
    plan.experiment = j.at("experiment");
    plan.plugin_paths = j.at("plugin_paths").get<std::vector<std::string>>();
    return plan;
  } catch (const json::exception& error) {
    throw Error(ExitCode::data, {"the sweep's plan cannot be read: " + printable(error.what()), "",
                                 "begin another with --new"});
  }
}

std::string hash_of(const Plan& plan) {
  Sha256 hash;
  hash.update(core_json(plan).dump());
  return hash.hex();
}

std::string text_of(const Axis& axis) {
  std::string text;
  if (axis.scale == Axis::Scale::choices) {
    for (const auto& choice : axis.choices)
      text += (text.empty() ? "" : ", ") + config::to_toml(choice);
  } else if (axis.scale == Axis::Scale::integer) {
    text = fmt::format("{:.0f} to {:.0f}", axis.low, axis.high);
  } else {
    text = shortest(axis.low) + " to " + shortest(axis.high);
  }
  if (axis.scale == Axis::Scale::log_uniform) text += ", logarithmic";
  if (axis.points > 0) text += fmt::format(", {} values", axis.points);
  if (!axis.when.empty()) text += " (when " + text_of(axis.when) + ")";
  return text;
}

}  // namespace bcx::sweep
