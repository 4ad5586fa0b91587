// A tracker filled row by row, for tests of queries: hundreds of runs without a writer thread each.
#pragma once

#include <fmt/format.h>

#include <cmath>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "tests/catch.h"
#include "tracker/host.h"
#include "tracker/schema.h"
#include "tracker/sqlite.h"

namespace bcx::test {

struct SmallMetric {
  std::string name;
  double last = 0;
  std::optional<double> min, max;
};

struct SmallRun {
  std::string name, status = "finished", notes;
  std::int64_t started = 0, seconds = 60, seed = 0;
  std::vector<std::string> tags, stamps;
  bool elsewhere = false;  ///< on another machine
  /// type, value: a list is JSON text, a bool 0 or 1
  std::vector<std::pair<std::string,
                        std::pair<std::string, std::variant<std::int64_t, double, std::string>>>>
      params;
  std::vector<SmallMetric> metrics;
};

class SmallTracker {
 public:
  explicit SmallTracker(const std::filesystem::path& path)
      : database(tracker::open_for_writing(path)) {}

  /// Gives the run's row. Its UUID ends in the row's number.
  std::int64_t add(const SmallRun& run) {
    const auto row = ++rows_;
    const auto uuid = fmt::format("019a0000-0000-7000-8000-0000{:08x}", row);
    const bool over = run.status != "running";
    const auto end = run.started + run.seconds * 1'000'000;
    database
        .cached(
            "INSERT INTO run VALUES "
            "(?,?,?,'exp',?,?,?,?,'',1,?,NULL,?,'','','',?,?,'',?,NULL,NULL,"
            "NULL)")
        .run(row, uuid, run.name, run.status, run.started, end,
             over ? std::optional(end) : std::nullopt, run.seed, run.notes, config, config,
             fmt::format("run-{}", row));
    database
        .cached(
            "INSERT INTO attempt VALUES (?,1,?,NULL,'running','',?,?,42,0,0,0,0,NULL,NULL,"
            "NULL)")
        .run(row, run.started, run.elsewhere ? "other" : here_.host,
             run.elsewhere ? "other" : here_.boot_id);
    for (const auto& tag : run.tags)
      database.cached("INSERT INTO run_tag VALUES (?,?)").run(row, tag);
    for (const auto& stamp : run.stamps)
      database.cached("INSERT INTO run_stamp VALUES (?,?,'',0)").run(row, stamp);
    for (const auto& [key, value] : run.params)
      std::visit(
          [&, type = value.first, name = key](const auto& one) {
            database.cached("INSERT INTO param VALUES (?,?,?,?,'default')")
                .run(row, name, type, one);
          },
          value.second);
    for (const auto& metric : run.metrics) {
      database.cached("INSERT OR IGNORE INTO metric_key(name, lower_is_better) VALUES (?, ?)")
          .run(metric.name, metric.name.find("loss") != std::string::npos);
      database
          .cached(
              "INSERT INTO metric_summary VALUES (?,(SELECT id FROM metric_key WHERE name=?),3,0,?,"
              "30,3.0,?,10,?,20)")
          .run(row, metric.name, metric.last, metric.min, metric.max);
    }
    return row;
  }

  tracker::Database database;
  std::string config;  ///< source and resolved, of the runs to come

 private:
  std::int64_t rows_ = 0;
  tracker::ProcessIdentity here_ = tracker::this_process();
};

/// A run with one parameter of each usual type, and two metrics whose last part is the same.
inline SmallRun usual_run() {
  SmallRun run;
  run.name = "densenet201";
  run.params = {{"optimizer.learning_rate", {"float", 1e-3}},
                {"optimizer.name", {"string", "sgd"}}};
  run.metrics = {
      {"val.auc", 0.9, 0.5, 0.95}, {"val.loss", 0.4, 0.3, 0.9}, {"train.loss", 0.2, 0.1, 0.8}};
  return run;
}

}  // namespace bcx::test
