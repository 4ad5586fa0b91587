#include "tracker/health.h"

#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "base/error.h"
#include "tracker/file_lock.h"
#include "tracker/garbage.h"
#include "tracker/host.h"
#include "tracker/run_life.h"
#include "tracker/schema.h"

namespace bcx::tracker {
namespace {

namespace fs = std::filesystem;

constexpr int most_damage = 20;

std::int64_t count(const Database& database, const char* sql) {
  auto rows = database.prepare(sql);
  return rows.step() ? rows.integer(0) : 0;
}

std::int64_t size_of(const fs::path& path) {
  std::error_code none;
  const auto bytes = fs::file_size(path, none);
  return none ? 0 : static_cast<std::int64_t>(bytes);
}

std::vector<std::string> damage_of(const Database& database) {
  std::vector<std::string> found;
  try {
    auto rows = database.prepare(fmt::format("PRAGMA integrity_check({})", most_damage));
    while (rows.step())
      if (rows.text(0) != "ok") found.push_back(rows.text(0));
    auto keys = database.prepare("PRAGMA foreign_key_check");
    while (std::ssize(found) < most_damage && keys.step())
      found.push_back(
          fmt::format("a row of {} names one of {} that is not there", keys.text(0), keys.text(2)));
  } catch (const Error& error) {
    found.emplace_back(error.what());
  }
  return found;
}

}  // namespace

std::string sqlite_version() {
  return sqlite3_libversion();
}

Health examine(const fs::path& path) {
  const auto database = open_for_reading(path);
  const auto folder = database.path().parent_path();
  Health health;
  health.schema_version = static_cast<int>(database.pragma("user_version"));
  health.damage = damage_of(database);
  health.bytes = size_of(database.path());
  health.wal_bytes = size_of(database.path().string() + "-wal");
  health.locked = is_locked(lock_path(database.path()));
  health.writable = access(folder.c_str(), W_OK) == 0;
  struct statfs facts {};
  if (statfs(folder.c_str(), &facts) == 0)
    health.network = network_file_system(static_cast<std::uint64_t>(facts.f_type));
  if (!health.damage.empty()) return health;
  health.runs = count(database, "SELECT count(*) FROM run WHERE trashed IS NULL");
  health.trashed = count(database, "SELECT count(*) FROM run WHERE trashed IS NOT NULL");
  const auto gone = not_running(database);
  health.crashed = std::ssize(gone.crashed);
  health.unknown = std::ssize(gone.unknown);
  for (const auto& one : collect_garbage(path, false)) {
    ++health.garbage_files;
    health.garbage_bytes += one.bytes;
  }
  return health;
}

}  // namespace bcx::tracker
