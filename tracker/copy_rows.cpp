#include "tracker/copy_rows.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <set>

#include "base/error.h"
#include "base/text.h"
#include "tracker/beneath.h"
#include "tracker/reader.h"

namespace bcx::tracker {
namespace {

/// Tables of a run's rows that hold no other file-bound id but the run's and a metric key's.
constexpr std::array<const char*, 12> plain_tables{
    "attempt",       "run_tag", "run_stamp",  "param",    "metric", "metric_summary",
    "metric_bucket", "plugin",  "checkpoint", "artifact", "event",  "system"};

std::int64_t one_integer(const Database& database, const std::string& sql, std::string_view text) {
  auto& rows = database.cached(sql);
  const auto value = rows.start(text) ? rows.integer(0) : 0;
  rows.reset();
  return value;
}

std::string one_text(const Database& database, const std::string& sql, std::int64_t id) {
  auto& rows = database.cached(sql);
  const auto value = rows.start(id) ? rows.text(0) : std::string{};
  rows.reset();
  return value;
}

std::set<std::string> columns_of(const Database& database, const std::string& table) {
  std::set<std::string> out;
  auto& rows = database.cached("SELECT name FROM pragma_table_info(?)");
  for (bool more = rows.start(table); more; more = rows.step()) out.insert(rows.text(0));
  rows.reset();
  return out;
}

}  // namespace

std::vector<std::string> RowCopier::common_columns(const std::string& table) const {
  const auto theirs = columns_of(source_, table), ours = columns_of(target_, table);
  std::vector<std::string> out;
  std::set_intersection(theirs.begin(), theirs.end(), ours.begin(), ours.end(),
                        std::back_inserter(out));
  if (table != "sample") std::erase(out, "id");  // there it is the sample's name
  return out;
}

void RowCopier::copy(const std::string& table, const std::string& where, std::int64_t from,
                     const Columns& translated, const Copied& copied) {
  const auto names = common_columns(table);
  const bool has_id = table != "sample" && columns_of(source_, table).count("id") != 0;
  auto& rows = source_.cached(fmt::format("SELECT {}, {} FROM {} WHERE {}=?{}", has_id ? "id" : "0",
                                          fmt::join(names, ", "), table, where,
                                          has_id ? " ORDER BY id" : ""));
  std::string places;
  for (std::size_t i = 0; i < names.size(); ++i) places += i == 0 ? "?" : ",?";
  auto& insert = target_.cached(fmt::format("INSERT {} INTO {} ({}) VALUES ({})",
                                            table == "run_tag" ? "OR IGNORE" : "", table,
                                            fmt::join(names, ", "), places));
  for (bool more = rows.start(from); more; more = rows.step()) {
    insert.reset();
    for (std::size_t i = 0; i < names.size(); ++i) {
      const int at = static_cast<int>(i) + 1;
      const auto translate = translated.find(names[i]);
      if (translate == translated.end() || rows.is_null(at)) {
        insert.bind_from(at, rows, at);
        continue;
      }
      const auto value = translate->second(rows.integer(at));
      insert.bind(at, value == 0 ? std::optional<std::int64_t>{} : value);
    }
    insert.step();
    insert.reset();
    if (copied) copied(rows.integer(0));
  }
  rows.reset();
}

std::int64_t RowCopier::key(std::int64_t from) {
  if (const auto known = keys_.find(from); known != keys_.end()) return known->second;
  const auto name = one_text(source_, "SELECT name FROM metric_key WHERE id=?", from);
  target_
      .cached("INSERT INTO metric_key (name, lower_is_better) VALUES (?,?) ON CONFLICT DO NOTHING")
      .run(name, lower_is_better(name));
  return keys_[from] = one_integer(target_, "SELECT id FROM metric_key WHERE name=?", name);
}

/// A data set or split: the one of the same hash, or a copy.
std::int64_t RowCopier::shared(const std::string& table, std::int64_t from) {
  auto& known = shared_[table];
  if (const auto found = known.find(from); found != known.end()) return found->second;
  const auto hash = one_text(source_, fmt::format("SELECT hash FROM {} WHERE id=?", table), from);
  const auto find = fmt::format("SELECT id FROM {} WHERE hash=?", table);
  auto to = one_integer(target_, find, hash);
  if (to == 0 && !hash.empty()) {
    copy(table, "id", from, {{"dataset", [&](auto id) { return shared("dataset", id); }}});
    to = one_integer(target_, find, hash);
    const bool split = table == "split";
    copy(split ? "split_part" : "sample", table, from, {{table, [to](auto) { return to; }}});
  }
  return known[from] = to;
}

std::int64_t RowCopier::run_of(std::int64_t from) const {
  return one_integer(target_, "SELECT id FROM run WHERE uuid=?",
                     one_text(source_, "SELECT uuid FROM run WHERE id=?", from));
}

std::int64_t RowCopier::run(std::int64_t from, const std::string& folder) {
  const auto old = run_of(from);
  const auto their_folder = one_text(source_, "SELECT folder FROM run WHERE id=?", from);
  std::string notes;
  if (old != 0) {
    // In place: other rows (children, trials) point to this one, and tags stay. The row that comes
    // takes this one's id, once its name is out of the way.
    notes = one_text(target_, "SELECT notes FROM run WHERE id=?", old);
    for (const char* table : plain_tables)
      if (std::string_view(table) != "run_tag")
        target_.cached(fmt::format("DELETE FROM {} WHERE run=?", table)).run(old);
    for (const char* table : {"curve", "evaluation", "packed_file"})
      target_.cached(fmt::format("DELETE FROM {} WHERE run=?", table)).run(old);
    target_.cached("UPDATE run SET uuid='replaced' WHERE id=?").run(old);
  }
  copy("run", "id", from,
       {{"parent", [this](auto id) { return run_of(id); }},
        {"dataset", [this](auto id) { return shared("dataset", id); }},
        {"split", [this](auto id) { return shared("split", id); }}});
  auto to = target_.last_id();
  if (old != 0) {
    target_.execute("PRAGMA defer_foreign_keys=ON");
    target_.cached("UPDATE run_tag SET run=?2 WHERE run=?1").run(old, to);
    target_.cached("UPDATE run SET parent=?2 WHERE parent=?1").run(old, to);
    target_.cached("UPDATE trial SET run=?2 WHERE run=?1").run(old, to);
    target_.cached("DELETE FROM run WHERE id=?").run(old);
    if (!notes.empty()) target_.cached("UPDATE run SET notes=? WHERE id=?").run(notes, to);
  }
  target_.cached("UPDATE run SET folder=? WHERE id=?").run(folder, to);
  const Columns translated{{"run", [to](auto) { return to; }},
                           {"key", [this](auto id) { return key(id); }}};
  for (const char* table : plain_tables) {
    const bool texts = std::string_view(table) == "param" || std::string_view(table) == "system";
    if (std::string_view(table) == "metric_bucket" && source_.pragma("user_version") < 2) continue;
    copy(table, "run", from, texts ? Columns{{"run", translated.at("run")}} : translated);
  }
  evaluations(from, to);
  move_paths(to, their_folder, folder);
  return to;
}

void RowCopier::evaluations(std::int64_t from, std::int64_t to) {
  evaluations_.clear();
  copy("evaluation", "run", from,
       {{"run", [to](auto) { return to; }},
        {"dataset", [this](auto id) { return shared("dataset", id); }},
        {"split", [this](auto id) { return shared("split", id); }}},
       [this](std::int64_t id) { evaluations_[id] = target_.last_id(); });
  const Columns evaluation{{"run", [to](auto) { return to; }},
                           {"evaluation", [this](auto id) { return evaluations_[id]; }}};
  for (const auto& [theirs, ours] : evaluations_) {
    copy("evaluation_metric", "evaluation", theirs, evaluation);
    copy("prediction", "evaluation", theirs, evaluation);
  }
  copy("curve", "run", from, evaluation);
}

void RowCopier::move_paths(std::int64_t run, const std::string& from, const std::string& to) {
  for (const auto& [table, column] :
       {std::pair{"checkpoint", "path"}, {"artifact", "path"}, {"evaluation", "checkpoint"}}) {
    target_
        .cached(fmt::format("UPDATE {0} SET {1}=?3 || substr({1}, length(?2)+1) WHERE run=?1 AND "
                            "substr({1}, 1, length(?2)+1)=?2 || '/'",
                            table, column))
        .run(run, from, to);
    auto& paths =
        target_.cached(fmt::format("SELECT {1} FROM {0} WHERE run=? AND {1}<>''", table, column));
    for (bool more = paths.start(run); more; more = paths.step())
      if (!is_plain_path(paths.text(0)))
        throw Error(ExitCode::storage,
                    {fmt::format("a run of this file has a path that leads elsewhere: \"{}\"",
                                 printable(clip(paths.text(0), 80))),
                     printable(source_.path().string()), "do not trust this file"});
    paths.reset();
  }
}

std::set<std::int64_t> RowCopier::sweeps_of_copied_runs() const {
  std::vector<std::pair<std::int64_t, std::int64_t>> trials;  // sweep, run
  auto& rows = source_.cached("SELECT sweep, run FROM trial WHERE run IS NOT NULL");
  while (rows.step()) trials.emplace_back(rows.integer(0), rows.integer(1));
  rows.reset();
  std::set<std::int64_t> sweeps;
  for (const auto& [sweep, run] : trials)
    if (!sweeps.contains(sweep) && run_of(run) != 0) sweeps.insert(sweep);
  return sweeps;
}

void RowCopier::sweep(std::int64_t from) {
  const auto uuid = one_text(source_, "SELECT uuid FROM sweep WHERE id=?", from);
  auto to = one_integer(target_, "SELECT id FROM sweep WHERE uuid=?", uuid);
  if (to == 0) {
    copy("sweep", "id", from, {});
    to = one_integer(target_, "SELECT id FROM sweep WHERE uuid=?", uuid);
  }
  auto& rows = source_.cached(
      "SELECT number, parameters, state, attempts, run, value, message, started, ended FROM trial "
      "WHERE sweep=?");
  auto& put = target_.cached(
      "INSERT INTO trial (sweep, number, parameters, state, attempts, run, value, message, "
      "started, "
      "ended) VALUES (?,?,?,?,?,?,?,?,?,?) ON CONFLICT (sweep, number) DO UPDATE SET "
      "parameters=excluded.parameters, state=excluded.state, attempts=excluded.attempts, "
      "run=coalesce(excluded.run, run), value=excluded.value, message=excluded.message, "
      "started=excluded.started, ended=excluded.ended "
      "WHERE max(coalesce(excluded.started, 0), coalesce(excluded.ended, 0)) > "
      "max(coalesce(trial.started, 0), coalesce(trial.ended, 0))");
  for (bool more = rows.start(from); more; more = rows.step()) {
    const auto run = rows.is_null(4) ? 0 : run_of(rows.integer(4));
    put.run(to, rows.integer(0), rows.text(1), rows.text(2), rows.integer(3),
            run == 0 ? std::optional<std::int64_t>{} : run, rows.maybe_real(5), rows.text(6),
            rows.maybe_integer(7), rows.maybe_integer(8));
  }
  rows.reset();
}

void RowCopier::finish(bool every_sweep) {
  std::vector<std::pair<std::string, std::string>> parents;
  auto& rows = source_.cached(
      "SELECT r.uuid, p.uuid FROM run r JOIN run p ON p.id=r.parent WHERE r.trashed IS NULL");
  while (rows.step()) parents.emplace_back(rows.text(0), rows.text(1));
  rows.reset();
  for (const auto& [child, parent] : parents)
    target_
        .cached(
            "UPDATE run SET parent=(SELECT id FROM run WHERE uuid=?2) "
            "WHERE uuid=?1 AND parent IS NULL")
        .run(child, parent);
  std::set<std::int64_t> sweeps;
  if (every_sweep) {
    auto& all = source_.cached("SELECT id FROM sweep");
    while (all.step()) sweeps.insert(all.integer(0));
    all.reset();
  } else {
    sweeps = sweeps_of_copied_runs();
  }
  for (const auto one : sweeps) sweep(one);
  target_.execute(
      "UPDATE evaluation SET look=max(look, n.number) FROM (SELECT id, row_number() OVER ("
      "PARTITION BY part, split, CASE WHEN split IS NULL THEN dataset END, "
      "CASE WHEN split IS NULL AND dataset IS NULL THEN run END ORDER BY time, id) AS number "
      "FROM evaluation) AS n WHERE evaluation.id=n.id AND evaluation.look<n.number");
}

}  // namespace bcx::tracker
