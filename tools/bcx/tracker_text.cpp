#include "tracker_text.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include <cmath>
#include <ctime>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "tracker/host.h"

namespace bcx::cli {
namespace {

using nlohmann::ordered_json;

ordered_json value_json(const tracker::ParamShown& param) {
  if (param.list) {
    // Lists are flat; what a hostile file nests deeper is left out, as writing it would recurse.
    const auto flat = [](int depth, ordered_json::parse_event_t, ordered_json&) {
      return depth <= 1;
    };
    auto list = ordered_json::parse(std::get<std::string>(param.value), flat, false);
    if (!list.is_discarded()) return list;
  }
  return std::visit([](const auto& value) { return ordered_json(value); }, param.value);
}

ordered_json metrics_json(const tracker::RunShown& run,
                          double (*pick)(std::string_view, const tracker::MetricSummary&)) {
  auto json = ordered_json::object();
  for (const auto& [key, summary] : run.metrics) json[key] = pick(key, summary);
  return json;
}

std::string formatted_time(const std::tm& parts, const char* format) {
  char text[64];
  return std::string(text, std::strftime(text, sizeof text, format, &parts));
}

}  // namespace

void add_tracker_option(CLI::App& command, std::string& path) {
  command.add_option("--tracker", path, "The database (default: BCX_TRACKER, or runs/bcx.db)")
      ->type_name("DB");
}

std::filesystem::path tracker_path(const std::string& option) {
  return option.empty() ? tracker::default_database() : std::filesystem::path(option);
}

void add_shape_options(CLI::App& command, TableShape& shape, const char* json_help) {
  auto* json = command.add_flag("--json", shape.json, json_help);
  auto* csv = command.add_flag("--csv", shape.csv, "As CSV")->excludes(json);
  command.add_flag("--md", shape.markdown, "As a Markdown table")->excludes(json)->excludes(csv);
}

void print_table(const TableShape& shape, const Table& table) {
  if (shape.csv && isatty(STDOUT_FILENO) != 0) {  // a file gets names as they are
    for (const auto& line : split(trim(table.csv()), '\n')) fmt::print("{}\n", printable(line));
    return;
  }
  fmt::print("{}", shape.csv        ? table.csv()
                   : shape.markdown ? table.markdown()
                                    : table.text(terminal_width()));
}

tracker::RunShown open_run(const tracker::Reader& reader, const std::string& word) {
  const auto found = reader.find(word);
  auto run = reader.run(found.id);
  if (found.same_name > 1)
    fmt::print(stderr, "{} runs are named {}: this is the newest, {}\n", found.same_name,
               printable(run.name), run.short_id);
  return run;
}

std::string local_time(std::int64_t microseconds) {
  const std::time_t seconds = static_cast<std::time_t>(microseconds / 1'000'000);
  std::tm parts{};
  localtime_r(&seconds, &parts);
  return formatted_time(parts, "%Y-%m-%d %H:%M:%S");
}

std::string iso_time(std::int64_t microseconds) {
  const std::time_t seconds = static_cast<std::time_t>(microseconds / 1'000'000);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  return formatted_time(parts, "%Y-%m-%dT%H:%M:%S") +
         fmt::format(".{:03}Z", microseconds / 1000 % 1000);
}

std::string duration_text(const tracker::RunShown& run) {
  // As doubles: a file from elsewhere may hold any times.
  const auto end = static_cast<double>(run.ended.value_or(tracker::now_microseconds()));
  return human_duration(std::max(0.0, end - static_cast<double>(run.started)) / 1e6);
}

std::string number_text(double value) {
  return fmt::format("{:.4g}", value);
}

std::string value_text(const tracker::ParamShown& param) {
  if (const auto* flag = std::get_if<bool>(&param.value)) return *flag ? "true" : "false";
  if (const auto* whole = std::get_if<std::int64_t>(&param.value)) return fmt::format("{}", *whole);
  if (const auto* real = std::get_if<double>(&param.value)) return shortest(*real);
  return std::get<std::string>(param.value);
}

std::string stamps_text(const tracker::RunShown& run) {
  std::vector<std::string> names;
  for (const auto& stamp : run.stamps) names.push_back(stamp.name);
  return join(names, " ");
}

std::optional<double> best_of(std::string_view key, const tracker::MetricSummary& summary) {
  return tracker::lower_is_better(key) ? summary.min : summary.max;
}

ordered_json run_json(const tracker::RunShown& run) {
  ordered_json json{{"id", run.id},
                    {"short_id", run.short_id},
                    {"name", run.name},
                    {"experiment", run.experiment},
                    {"status", run.status}};
  json["stamps"] = ordered_json::array();
  for (const auto& stamp : run.stamps) json["stamps"].push_back(stamp.name);
  json["started"] = iso_time(run.started);
  json["ended"] = run.ended ? ordered_json(iso_time(*run.ended)) : ordered_json(nullptr);
  json["exit_reason"] = run.exit_reason;
  json["seed"] = run.seed;
  json["tags"] = run.tags;
  json["attempts"] = run.attempts;
  json["parent"] = run.parent.empty() ? ordered_json(nullptr) : ordered_json(run.parent);
  json["params"] = ordered_json::object();
  for (const auto& [key, param] : run.params) json["params"][key] = value_json(param);
  json["metrics"] = metrics_json(run, [](std::string_view, const auto& one) { return one.last; });
  json["best"] = metrics_json(run, [](std::string_view key, const auto& one) {
    return best_of(key, one).value_or(std::nan(""));
  });
  return json;
}

}  // namespace bcx::cli
