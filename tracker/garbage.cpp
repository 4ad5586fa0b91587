#include "tracker/garbage.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <set>

#include "base/error.h"
#include "base/text.h"
#include "tracker/beneath.h"
#include "tracker/editor.h"
#include "tracker/file_lock.h"
#include "tracker/run_store.h"
#include "tracker/schema.h"

namespace bcx::tracker {
namespace {

namespace fs = std::filesystem;

bool is_run_folder(std::string_view name) {
  if (name.size() < 10 || name[name.size() - 9] != '-' || !is_plain_component(name)) return false;
  const auto digits = name.substr(name.size() - 8);
  return digits.find_first_not_of("0123456789abcdef") == digits.npos;
}

/// Whether the file's header (SQLite's file format, section 1.3) says that it is a tracker.
bool is_tracker(const fs::path& path) {
  std::array<char, 72> head{};
  std::ifstream file(path, std::ios::binary);
  if (!file.read(head.data(), head.size())) return false;
  return std::string_view(head.data(), 15) == "SQLite format 3" &&
         std::string_view(head.data() + 68, 4) == "bcxt";
}

void refuse_neighbours(const fs::path& database) {
  for (const auto& entry : fs::directory_iterator(database.parent_path())) {
    const auto name = entry.path().filename().string();
    const bool own = name.starts_with(database.filename().string()) || name.ends_with(".bcxrun");
    if (own || !entry.is_regular_file() || !is_tracker(entry.path())) continue;
    throw Error(ExitCode::usage,
                {fmt::format("another tracker lies in this folder, {}: its runs' files cannot be "
                             "told from garbage",
                             printable(name)),
                 printable(database.parent_path().string()),
                 "`bcx merge` it into this one and move it away, or give it a folder of its own"});
  }
}

class Collector {
 public:
  Collector(const fs::path& path, bool remove)
      : database_(open_for_reading(path)),
        folder_(database_.path().parent_path()),
        remove_(remove) {
    refuse_neighbours(database_.path());
  }

  std::vector<Garbage> all() {
    for (const auto& name : folder_.folders()) look_at(name, name);
    const std::string trash(trash_folder);
    if (folder_.exists(trash))
      for (const auto& name : Beneath(folder_.root() / trash).folders())
        look_at(trash + "/" + name, name);
    return std::move(found_);
  }

 private:
  void look_at(const std::string& path, const std::string& name) {
    const bool partial =
        name.ends_with(".partial") && is_run_folder(name.substr(0, name.size() - 8));
    if (!partial && !is_run_folder(name)) return;
    // Held while we look and remove: a run cannot be resumed meanwhile.
    std::optional<FileLock> lock;
    if (const auto file = path + "/run.lock"; folder_.exists(file)) {
      // A list alone is also to be had where nothing can be written, not even a lock.
      if (remove_) lock = FileLock::take(folder_.root() / file, std::chrono::milliseconds(0));
      if (remove_ ? !lock : is_locked(folder_.root() / file)) return;
    }
    if (partial || !has_run(name)) {
      const char* why = partial ? "left half-made by a merge" : "no run has this folder";
      for (const auto& file : folder_.files(path)) found_.push_back({file.path, file.bytes, why});
      if (remove_) folder_.remove_folder(path);
    } else {
      look_inside(path, name);
    }
  }

  bool has_run(const std::string& name) {
    auto& rows = database_.cached("SELECT 1 FROM run WHERE folder=?");
    const bool found = rows.start(name);
    rows.reset();
    return found;
  }

  /// Paths in rows are those of the place outside the trash.
  bool is_kept(const std::string& path) {
    auto& rows = database_.cached(
        "SELECT 1 FROM checkpoint WHERE path=?1 AND kept<>0 UNION ALL "
        "SELECT 1 FROM artifact WHERE path=?1 LIMIT 1");
    const bool found = rows.start(path);
    rows.reset();
    return found;
  }

  void look_inside(const std::string& path, const std::string& name) {
    for (const auto& file : folder_.files(path)) {
      const auto inside = file.path.substr(path.size() + 1);
      const auto last = inside.substr(inside.rfind('/') + 1);
      const char* why = nullptr;
      if (last.starts_with('.') && last.ends_with(".tmp"))
        why = "a temporary file of a process that is gone";
      else if (inside.starts_with("checkpoints/") && !is_kept(name + "/" + inside))
        why = "a checkpoint that no row keeps";
      if (!why) continue;
      found_.push_back({file.path, file.bytes, why});
      if (remove_) folder_.remove_file(file.path);
    }
  }

  Database database_;
  Beneath folder_;
  bool remove_;
  std::vector<Garbage> found_;
};

}  // namespace

std::vector<Garbage> collect_garbage(const fs::path& database, bool remove) {
  return Collector(database, remove).all();
}

std::int64_t forget_trashed(const fs::path& path) {
  open_for_reading(path);
  auto database = open_for_writing(path);
  Transaction transaction(database);
  database.execute(
      "UPDATE run SET parent=NULL WHERE parent IN (SELECT id FROM run WHERE trashed IS NOT NULL)");
  database.execute("DELETE FROM run WHERE trashed IS NOT NULL");
  const auto count = database.changes();
  database.execute(
      "DELETE FROM split WHERE id NOT IN (SELECT split FROM run WHERE split IS NOT NULL "
      "UNION SELECT split FROM evaluation WHERE split IS NOT NULL)");
  database.execute(
      "DELETE FROM dataset WHERE id NOT IN (SELECT dataset FROM run WHERE dataset IS NOT NULL "
      "UNION SELECT dataset FROM evaluation WHERE dataset IS NOT NULL "
      "UNION SELECT dataset FROM split)");
  transaction.commit();
  close_after_writing(std::move(database));
  return count;
}

}  // namespace bcx::tracker
