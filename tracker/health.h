// What is the matter with a tracker: `bcx doctor`.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace bcx::tracker {

struct Health {
  int schema_version = 0;
  std::int64_t runs = 0, crashed = 0, unknown = 0, trashed = 0;  ///< crashed, unknown: see reader.h
  std::int64_t bytes = 0, wal_bytes = 0;  ///< of the file and of what waits to be moved into it
  bool locked = false;                    ///< somebody migrates it or moves the WAL just now
  bool writable = false;                  ///< the folder, to this process
  std::string network;              ///< the network file system that it lies on, empty: a local one
  std::vector<std::string> damage;  ///< integrity_check's and foreign_key_check's words, at most 20
  std::int64_t garbage_files = 0, garbage_bytes = 0;  ///< what `bcx gc` would list
};

/// Reads the whole file (integrity_check) and looks at its folder; changes nothing. Throws as
/// Reader does when it cannot be opened at all.
Health examine(const std::filesystem::path& database);

/// The version of the SQLite library in use.
std::string sqlite_version();

}  // namespace bcx::tracker
