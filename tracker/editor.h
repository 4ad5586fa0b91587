// What people change about runs that are recorded: tags, notes, names, the trash.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "tracker/rows.h"
#include "tracker/sqlite.h"

namespace bcx::tracker {

/// A tracker opened for changes by hand. Runs are named by their full ids (Reader::find). Each call
/// is one durable transaction. One thread at a time. Errors: bcx::Error, usage for what cannot be
/// done to this run, storage for the file.
class Editor {
 public:
  /// Throws (usage) when there is no such file: nothing is made here.
  explicit Editor(const std::filesystem::path& database);
  ~Editor();
  Editor(const Editor&) = delete;
  Editor& operator=(const Editor&) = delete;

  /// Tags have at most 100 bytes, no control characters and no comma. Idempotent.
  void tag(const std::string& run, const std::vector<std::string>& add,
           const std::vector<std::string>& remove);
  /// Adds a line to the run's notes, or puts `text` in their place.
  void note(const std::string& run, const std::string& text, bool replace);
  /// The run's folder keeps its name.
  void rename(const std::string& run, const std::string& name);

  /// Artifacts of a run that has ended, in the place of those whose names begin with `prefix` (not
  /// empty: a folder, "explain/"). Holds the run's lock for as long as `make` runs, which writes
  /// the files into the run's folder and returns their rows: a run that is alive or in the trash is
  /// refused before. Files of the rows that go are removed.
  void replace_artifacts(
      const std::string& run, const std::string& prefix,
      const std::function<std::vector<ArtifactRow>(const std::filesystem::path& folder)>& make);

  /// Hides a run and moves its folder to `trash/`. A run that is alive is refused. A run that is
  /// there already is made whole (its folder moved), should an earlier try have been cut short.
  void trash(const std::string& run);
  void restore(const std::string& run);

 private:
  struct Row {
    std::int64_t id = 0;
    std::string name, folder;
    bool trashed = false;
  };
  Row row(const std::string& run) const;

  Database database_;
};

struct TrashedRun {
  std::string id, short_id, name;
  std::int64_t started = 0, trashed = 0;
};
/// What is in the trash, newest there first. Reads only.
std::vector<TrashedRun> trashed_runs(const std::filesystem::path& database);
/// An id, the beginning of one (4 characters or more) or a name; of several of that name the one
/// that was thrown away last. Throws (usage).
std::string find_trashed(const std::filesystem::path& database, std::string_view what);

/// Where the folders of runs in the trash lie, beneath the database's folder.
inline constexpr std::string_view trash_folder = "trash";

}  // namespace bcx::tracker
