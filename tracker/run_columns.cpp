#include "tracker/run_columns.h"

#include <array>

namespace bcx::tracker {
namespace {

using Kind = RunColumn::Kind;

constexpr const char* ids = "SELECT r.uuid AS v UNION ALL SELECT substr(r.uuid, -8)";
constexpr const char* tags = "SELECT tag AS v FROM run_tag WHERE run=r.id";
constexpr const char* stamps = "SELECT stamp AS v FROM run_stamp WHERE run=r.id";

/// A crashed run has no end of its own: the file says running, and its last row was its end. What
/// it said last is all that is known of the reason.
constexpr const char* ended = "CASE WHEN r.id IN $crashed THEN r.updated ELSE r.ended END";
constexpr const char* reason =
    "nullif(CASE WHEN r.id IN $crashed THEN (SELECT 'last message: ' || message FROM event e "
    "WHERE e.run=r.id AND e.level IN ('warning', 'error') ORDER BY e.id DESC LIMIT 1) "
    "WHEN r.id IN $unknown THEN (SELECT 'on host ' || a.host || ': whether it still runs can be "
    "seen "
    "there alone' FROM attempt a WHERE a.run=r.id AND a.number=r.attempt) "
    "ELSE r.exit_reason END, '')";
constexpr const char* status =
    "CASE WHEN r.id IN $crashed THEN 'crashed' WHEN r.id IN $unknown THEN 'unknown' ELSE r.status "
    "END";
constexpr const char* host =
    "(SELECT nullif(a.host, '') FROM attempt a WHERE a.run=r.id AND a.number=r.attempt)";
constexpr const char* pid = "(SELECT a.pid FROM attempt a WHERE a.run=r.id AND a.number=r.attempt)";

constexpr std::array<RunColumn, 20> columns{{
    {"id", Kind::text, "r.uuid", false, ids},
    {"name", Kind::text, "nullif(r.name, '')", false},
    {"experiment", Kind::text, "nullif(r.experiment, '')", false},
    {"status", Kind::text, status, false},
    {"started", Kind::time, "r.started", true},
    {"ended", Kind::time, ended, true},
    {"duration", Kind::number, "(coalesce(r.ended, r.updated) - r.started) / 1e6", true},
    {"seed", Kind::number, "r.seed", false},
    {"tags", Kind::text, "(SELECT group_concat(tag) FROM run_tag WHERE run=r.id)", false, tags},
    {"stamps", Kind::text, "(SELECT group_concat(stamp) FROM run_stamp WHERE run=r.id)", false,
     stamps},
    {"notes", Kind::text, "nullif(r.notes, '')", false},
    {"reason", Kind::text, reason, false},
    {"host", Kind::text, host, false},
    {"pid", Kind::number, pid, false},
    {"git", Kind::text, "nullif(r.git_commit, '')", false},
    {"version", Kind::text, "nullif(r.version, '')", false},
    {"attempts", Kind::number, "r.attempt", true},
    {"parent", Kind::text, "(SELECT q.uuid FROM run q WHERE q.id=r.parent)", false},
    {"command", Kind::text, "nullif(r.command, '')", false},
    {"folder", Kind::text, "nullif(r.folder, '')", false},
}};

}  // namespace

std::span<const RunColumn> run_columns() {
  return columns;
}

const RunColumn* find_run_column(std::string_view word) {
  for (const auto& column : columns)
    if (column.word == word) return &column;
  if (word == "tag") return find_run_column("tags");
  if (word == "stamp") return find_run_column("stamps");
  return nullptr;
}

}  // namespace bcx::tracker
