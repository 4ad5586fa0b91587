#include "tracker/sweep_rows.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/hash.h"
#include "base/text.h"
#include "tracker/host.h"

namespace bcx::tracker {
namespace {

constexpr std::size_t shortest_prefix = 4;

[[noreturn]] void no_such_sweep(const Database& database, std::string what, std::string remedy) {
  throw Error(ExitCode::usage,
              {std::move(what), printable(database.path().string()), std::move(remedy)});
}

}  // namespace

std::vector<SweepRow> sweeps(const Database& database) {
  std::vector<SweepRow> list;
  auto& rows = database.cached(
      "SELECT id, uuid, substr(uuid, -8), name, status, method, pruner, objective, direction, "
      "config, started, ended FROM sweep ORDER BY started DESC, id DESC");
  while (rows.step())
    list.push_back({rows.integer(0), rows.text(1), rows.text(2), rows.text(3), rows.text(4),
                    rows.text(5), rows.text(6), rows.text(7), rows.text(8), rows.text(9),
                    rows.integer(10), rows.maybe_integer(11)});
  rows.reset();
  return list;
}

SweepRow find_sweep(const Database& database, std::string_view what) {
  const auto all = sweeps(database);
  if (all.empty())
    no_such_sweep(database, "there is no sweep in this tracker yet",
                  "`bcx sweep run FILE` makes one");
  if (what == "@last") return all.front();
  std::vector<std::string> names;
  std::vector<const SweepRow*> beginning;
  for (const auto& one : all) {
    if (one.id == what) return one;
    names.push_back(one.name);
    if (what.size() >= shortest_prefix &&
        (one.id.starts_with(lower(what)) || one.short_id.starts_with(lower(what))))
      beginning.push_back(&one);
  }
  const auto named =
      std::find_if(all.begin(), all.end(), [&](const auto& one) { return one.name == what; });
  if (named != all.end()) return *named;
  if (beginning.size() == 1) return *beginning.front();
  if (beginning.size() > 1)
    no_such_sweep(database, fmt::format("several sweeps begin with \"{}\"", printable(what)),
                  "write more of its id");
  const auto near = did_you_mean(what.substr(0, 64), names);
  no_such_sweep(database, fmt::format("no sweep is called \"{}\"", printable(clip(what, 60))),
                near.empty() ? "`bcx sweep status` lists them" : near);
}

std::vector<TrialRow> trials(const Database& database, std::int64_t sweep) {
  std::vector<TrialRow> list;
  auto& rows = database.cached(
      "SELECT t.number, t.parameters, t.state, t.attempts, r.uuid, t.value, t.message, t.started, "
      "t.ended FROM trial t LEFT JOIN run r ON r.id = t.run WHERE t.sweep=? ORDER BY t.number");
  for (bool more = rows.start(sweep); more; more = rows.step())
    list.push_back({rows.integer(0), rows.text(1), rows.text(2), rows.integer(3),
                    rows.is_null(4) ? std::string() : rows.text(4), rows.maybe_real(5),
                    rows.text(6), rows.maybe_integer(7), rows.maybe_integer(8)});
  rows.reset();
  return list;
}

SweepRow insert_sweep(Database& database, const std::string& name, const std::string& method,
                      const std::string& pruner, const std::string& objective, bool maximize,
                      const std::string& config) {
  SweepRow row{.row = 0,
               .id = uuid_v7(),
               .short_id = {},
               .name = name,
               .status = "running",
               .method = method,
               .pruner = pruner,
               .objective = objective,
               .direction = maximize ? "maximize" : "minimize",
               .config = config,
               .started = now_microseconds(),
               .ended = std::nullopt};
  row.short_id = row.id.substr(row.id.size() - 8);
  database
      .cached(
          "INSERT INTO sweep (uuid, name, status, method, pruner, objective, direction, config, "
          "started) VALUES (?,?,?,?,?,?,?,?,?)")
      .run(row.id, row.name, row.status, row.method, row.pruner, row.objective, row.direction,
           row.config, row.started);
  row.row = database.last_id();
  return row;
}

void update_sweep(Database& database, std::int64_t sweep, std::string_view status,
                  const std::string& config) {
  const auto ended = status == "running" ? std::nullopt : std::optional(now_microseconds());
  database.cached("UPDATE sweep SET status=?, config=?, ended=? WHERE id=?")
      .run(status, config, ended, sweep);
}

void put_trial(Database& database, std::int64_t sweep, const TrialRow& trial) {
  database
      .cached(
          "INSERT INTO trial (sweep, number, parameters, state, attempts, value, message, started, "
          "ended) VALUES (?,?,?,?,?,?,?,?,?) ON CONFLICT (sweep, number) DO UPDATE SET "
          "parameters=excluded.parameters, state=excluded.state, attempts=excluded.attempts, "
          "value=excluded.value, message=excluded.message, started=excluded.started, "
          "ended=excluded.ended")
      .run(sweep, trial.number, trial.parameters, trial.state, trial.attempts, trial.value,
           trial.message, trial.started, trial.ended);
}

void forget_run(Database& database, std::int64_t sweep, std::int64_t number) {
  database.cached("UPDATE trial SET run=NULL WHERE sweep=? AND number=?").run(sweep, number);
}

}  // namespace bcx::tracker
