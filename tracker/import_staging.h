// A tracker of its own for what is imported, which is then merged: all or nothing, once and twice
// the same.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/temporary_folder.h"
#include "tracker/reader.h"
#include "tracker/rows.h"
#include "tracker/sqlite.h"
#include "tracker/transfer.h"

namespace bcx::tracker {

struct ImportedRun {
  std::string id;  ///< a UUID
  std::string parent;
  RunDescription description;
  Status status = Status::finished;
  std::string exit_reason, host;
  std::int64_t started = 0, ended = 0;                           ///< microseconds since 1970, UTC
  std::map<std::string, std::map<std::int64_t, Point>> metrics;  ///< name → step →
};

/// A UUID of version 8 (RFC 9562) from a text: the same text, the same run.
std::string uuid_of(const std::string& text);
/// `name` with what a metric's name cannot hold as `_`.
std::string metric_name(const std::string& name);

class Staging {
 public:
  void add(const ImportedRun& run);
  std::vector<Merged> merge_into(const std::filesystem::path& database);

 private:
  TemporaryFolder folder_{"import"};
};

}  // namespace bcx::tracker
