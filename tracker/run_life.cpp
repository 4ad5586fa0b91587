#include "tracker/run_life.h"

#include "base/text.h"
#include "tracker/file_lock.h"
#include "tracker/host.h"
#include "tracker/run_store.h"

namespace bcx::tracker {
namespace {

/// Whether a process holds the lock of a run's folder.
bool is_alive(const std::filesystem::path& folder, const std::string& run_folder) {
  return is_plain_component(run_folder) && is_locked(folder / run_folder / "run.lock");
}

/// The host of a run that was written by another machine (its folder is shared, or was copied while
/// it ran), empty for one of this. Its lock says nothing here. A host of another name with the same
/// boot id is a container on this kernel, one of this name with another boot id is this machine
/// before it was started again: there the lock tells.
std::string other_host(const Database& database, std::int64_t run) {
  static const auto here = this_process();
  auto& rows = database.cached(
      "SELECT a.host, a.boot_id FROM attempt a JOIN run r ON r.id=a.run AND r.attempt=a.number "
      "WHERE r.id=?");
  std::string host;
  if (rows.start(run) && rows.text(0) != here.host && rows.text(1) != here.boot_id)
    host = rows.text(0);
  rows.reset();
  return host;
}

}  // namespace

bool sorts_by_life(std::string_view sort) {
  if (sort.starts_with('-')) sort.remove_prefix(1);
  return sort == "status" || sort == "ended" || sort == "reason";
}

NotRunning not_running(const Database& database) {
  NotRunning out;
  const auto folder = database.path().parent_path();
  auto rows = database.prepare("SELECT id, folder FROM run WHERE status='running'");
  auto& again = database.cached("SELECT status='running' FROM run WHERE id=?");
  while (rows.step()) {
    if (is_alive(folder, rows.text(1))) continue;
    // As in check_alive(): it may have ended between our two looks.
    const auto row = rows.integer(0);
    const bool elsewhere = !other_host(database, row).empty();
    if (again.start(row) && again.integer(0) != 0)
      (elsewhere ? out.unknown : out.crashed).push_back(row);
    again.reset();
  }
  return out;
}

void check_alive(const Database& database, std::vector<RunShown>& runs) {
  const auto folder = database.path().parent_path();
  for (auto& run : runs) {
    if (run.status != "running") continue;
    if (is_alive(folder, run.folder)) continue;
    // It may have ended between our two looks: its last rows are committed before its lock goes.
    auto& again = database.cached("SELECT status, ended, updated, exit_reason FROM run WHERE id=?");
    again.start(run.row);
    run.status = again.text(0);
    run.ended = again.maybe_integer(1);
    const auto updated = again.integer(2);
    run.exit_reason = again.text(3);
    again.reset();
    if (run.status != "running") continue;
    if (const auto host = other_host(database, run.row); !host.empty()) {
      run.status = "unknown";
      run.exit_reason = "on host " + host + ": whether it still runs can be seen there alone";
      continue;
    }
    run.status = "crashed";
    run.ended = updated;
    auto& last = database.cached(
        "SELECT message FROM event WHERE run=? AND level IN ('warning', 'error') "
        "ORDER BY id DESC LIMIT 1");
    run.exit_reason = last.start(run.row) ? "last message: " + last.text(0) : "";
    last.reset();
  }
}

}  // namespace bcx::tracker
