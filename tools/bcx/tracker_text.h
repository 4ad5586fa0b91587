// How the tracker's commands open it and write what is in it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "base/table.h"
#include "tracker/reader.h"

namespace CLI {
class App;
}

namespace bcx::cli {

/// Adds --tracker DB.
void add_tracker_option(CLI::App& command, std::string& path);
/// What --tracker says, else BCX_TRACKER, else runs/bcx.db.
std::filesystem::path tracker_path(const std::string& option);

/// In which form a command prints its table.
struct TableShape {
  bool json = false, csv = false, markdown = false;
  bool screen() const { return !json && !csv && !markdown; }
};
/// Adds --json, --csv and --md, of which one may be given.
void add_shape_options(CLI::App& command, TableShape& shape, const char* json_help);
/// As CSV, Markdown or text that fits the terminal.
void print_table(const TableShape& shape, const Table& table);

/// Finds RUN; when several runs bear the name, says on stderr which one it took.
tracker::RunShown open_run(const tracker::Reader& reader, const std::string& word);

/// `2026-11-23 06:41:07`, local time.
std::string local_time(std::int64_t microseconds);
/// `2026-11-23T06:41:07.123Z`.
std::string iso_time(std::int64_t microseconds);
/// From start to end, or to now for a run that goes on.
std::string duration_text(const tracker::RunShown& run);
/// Four significant digits; the columns of a table stay narrow.
std::string number_text(double value);
std::string value_text(const tracker::ParamShown& param);
/// `LEAKY UNGROUPED`, empty without stamps.
std::string stamps_text(const tracker::RunShown& run);
/// The best value by the metric's direction, and its step.
std::optional<double> best_of(std::string_view key, const tracker::MetricSummary& summary);

/// id, name, status, stamps, times, params and metrics. Not-a-number and infinity are null.
nlohmann::ordered_json run_json(const tracker::RunShown& run);

}  // namespace bcx::cli
