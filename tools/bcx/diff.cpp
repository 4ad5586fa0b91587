// `bcx diff A B ...`: what sets runs apart, and nothing else.

#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/table.h"
#include "base/text.h"
#include "commands.h"
#include "json_text.h"
#include "tracker/run_diff.h"
#include "tracker_text.h"

namespace bcx::cli {
namespace {

using tracker::Difference;
using tracker::RunShown;

constexpr std::size_t most_runs = 64;
constexpr std::size_t shown_of_a_hash = 12;

struct Options {
  std::string database;
  std::vector<std::string> runs;
  bool json = false;
};

/// Long hexadecimal words (hashes, build ids) by their beginning: what differs differs there.
std::string shortened(const std::string& text) {
  std::string out;
  for (const auto& word : split(text, ' ')) {
    const bool hash =
        word.size() > 20 && word.find_first_not_of("0123456789abcdef") == std::string::npos;
    out += (out.empty() ? "" : " ") + (hash ? word.substr(0, shown_of_a_hash) : word);
  }
  return out;
}

void print_json(const std::vector<RunShown>& runs, const std::vector<Difference>& all) {
  auto json = nlohmann::ordered_json::object();
  json["runs"] = nlohmann::ordered_json::array();
  for (const auto& run : runs)
    json["runs"].push_back({{"id", run.id}, {"short_id", run.short_id}, {"name", run.name}});
  json["differences"] = nlohmann::ordered_json::array();
  for (const auto& one : all) {
    auto values = nlohmann::ordered_json::array();
    for (const auto& value : one.values)
      values.push_back(value ? nlohmann::ordered_json(*value) : nlohmann::ordered_json(nullptr));
    json["differences"].push_back(
        {{"section", one.section}, {"key", one.key}, {"values", std::move(values)}});
  }
  fmt::print("{}\n", dump(json));
}

void print_tables(const std::vector<RunShown>& runs, const std::vector<Difference>& all) {
  if (all.empty()) fmt::print("no difference in parameters, plugins, data, code or environment\n");
  for (std::size_t i = 0; i < all.size();) {
    const auto& section = all[i].section;
    std::vector<Column> columns{{section, Align::left, 1}};
    for (const auto& run : runs)
      columns.push_back({fmt::format("{} {}", run.name, run.short_id), Align::left, 2});
    Table table(columns);
    for (; i < all.size() && all[i].section == section; ++i) {
      std::vector<std::string> row{all[i].key};
      for (const auto& value : all[i].values) row.push_back(value ? shortened(*value) : "-");
      table.add(std::move(row));
    }
    fmt::print("{}{}", table.text(terminal_width()), i < all.size() ? "\n" : "");
  }
}

int work(const Options& options) {
  if (options.runs.size() < 2 || options.runs.size() > most_runs)
    throw Error(ExitCode::usage, fmt::format("diff compares from 2 to {} runs", most_runs));
  const tracker::Reader reader(tracker_path(options.database));
  std::vector<RunShown> runs;
  for (const auto& word : options.runs) runs.push_back(open_run(reader, word));
  const auto all = tracker::run_differences(reader, runs);
  options.json ? print_json(runs, all) : print_tables(runs, all);
  return 0;
}

}  // namespace

void add_diff(CLI::App& app, Action& action) {
  auto* command = app.add_subcommand(
      "diff", "Show what sets runs apart: parameters, plugins, data, code, environment");
  auto options = std::make_shared<Options>();
  command->add_option("runs", options->runs, "Ids, names, @last or @best:KEY, two or more")
      ->type_name("RUN")
      ->required();
  command->add_flag("--json", options->json, "As JSON");
  add_tracker_option(*command, options->database);
  command->footer("Example:\n  bcx diff @last @best:val.auc");
  command->callback([options, &action] { action = [options] { return work(*options); }; });
}

}  // namespace bcx::cli
