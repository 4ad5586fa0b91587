// The tracker's tables, views and versions. docs/tracker.md explains them.
#pragma once

#include <chrono>
#include <filesystem>
#include <span>

#include "tracker/sqlite.h"

namespace bcx::tracker {

/// "bcxt" in the file's header: what tells a tracker from any other SQLite file.
inline constexpr int application_id = 0x62637874;

/// One step from version - 1 to version. `sql` runs inside the migration's transaction.
struct Migration {
  int version;
  const char* sql;
};

/// All steps, oldest first. Never edit one that was released: add another, and a fixture file of
/// the version before to the tests.
std::span<const Migration> migrations();
int latest_version();

/// Brings an open file to the last of `steps`: nothing to do, or a backup beside it
/// (`<file>.v<old>.backup`, not for a new file) and all missing steps in one transaction. The
/// caller holds the database's lock. Throws (storage) when the file is newer or not a tracker.
void migrate(Database& database, std::span<const Migration> steps);

/// Opens for writing: folder made, network file systems refused, WAL, migrated, automatic
/// checkpoints off.
Database open_for_writing(const std::filesystem::path& path);

/// Opens for reading, whatever the version; throws when it is not a tracker. In a folder that
/// cannot be written, where a WAL file can have no shared memory, the file is opened as immutable.
Database open_for_reading(const std::filesystem::path& path);

/// The lock that serialises migrations and WAL checkpoints: `<database>-lock`.
std::filesystem::path lock_path(const std::filesystem::path& database);

/// Moves what the WAL holds into the file, if nobody else is at it. SQLite before 3.51.3 can damage
/// a file when several connections do that at once, so everyone does it under the lock alone.
void checkpoint_wal(Database& database);

/// Closes a connection that wrote. The last one of a file moves the WAL into it and takes the WAL
/// away, under the lock; when somebody holds that all the time the WAL stays for the next writer.
void close_after_writing(Database database, std::chrono::milliseconds patience =
                                                std::chrono::milliseconds(5'000)) noexcept;

}  // namespace bcx::tracker
