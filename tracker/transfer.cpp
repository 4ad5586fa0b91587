#include "tracker/transfer.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>

#include "base/error.h"
#include "base/hash.h"
#include "base/text.h"
#include "tracker/beneath.h"
#include "tracker/copy_rows.h"
#include "tracker/file_lock.h"
#include "tracker/run_store.h"
#include "tracker/schema.h"
#include "tracker/sweep_rows.h"

namespace bcx::tracker {
namespace {

namespace fs = std::filesystem;

struct SourceRun {
  std::int64_t row = 0, updated = 0;
  std::string id, name, folder;
  bool trashed = false;
};

std::vector<SourceRun> runs_of(const Database& database) {
  std::vector<SourceRun> out;
  // Parents before their children.
  auto& rows = database.cached(
      "SELECT id, updated, uuid, name, folder, trashed FROM run ORDER BY parent IS NOT NULL, id");
  while (rows.step())
    out.push_back({rows.integer(0), rows.integer(1), rows.text(2), rows.text(3), rows.text(4),
                   !rows.is_null(5)});
  rows.reset();
  return out;
}

bool is_alive(const Database& database, const std::string& folder) {
  return is_plain_component(folder) &&
         is_locked(database.path().parent_path() / folder / "run.lock");
}

void check_version(const Database& source) {
  const auto version = source.pragma("user_version");
  if (version > latest_version())
    throw Error(ExitCode::storage,
                {fmt::format("this file was written by a newer bcx (schema {}, this one knows {})",
                             version, latest_version()),
                 printable(source.path().string()), "update bcx"});
}

/// The files of a run in its folder, but its lock and what a killed process left.
std::vector<Beneath::File> files_of(const Beneath& folder, const std::string& run_folder) {
  auto files = folder.files(run_folder);
  std::erase_if(files, [&](const Beneath::File& file) {
    const auto name = file.path.substr(file.path.rfind('/') + 1);
    return file.path == run_folder + "/run.lock" || (name[0] == '.' && name.ends_with(".tmp"));
  });
  return files;
}

void pack_file(Database& target, std::int64_t run, const Beneath& folder, const std::string& path,
               const std::string& inside) {
  target.cached("INSERT INTO packed_file (run, path, bytes, sha256) VALUES (?,?,0,'')")
      .run(run, inside);
  const auto id = target.last_id();
  const Descriptor file(folder.open_for_reading(path));
  Sha256 digest;
  std::int64_t number = 0;
  const auto bytes = read_pieces(file.get(), folder.root() / path, [&](auto piece) {
    digest.update(piece);
    target.cached("INSERT INTO packed_piece (file, number, data) VALUES (?,?,?)")
        .run(id, number++, piece);
  });
  target.cached("UPDATE packed_file SET bytes=?2, sha256=?3 WHERE id=?1")
      .run(id, bytes, digest.hex());
}

void pack_run(const Database& source, Database& target, const SourceRun& run, std::int64_t row,
              bool checkpoints) {
  const Beneath folder(source.path().parent_path());
  if (!is_plain_component(run.folder)) return;
  for (const auto& file : files_of(folder, run.folder)) {
    const auto inside = file.path.substr(run.folder.size() + 1);
    if (checkpoints || !inside.starts_with("checkpoints/"))
      pack_file(target, row, folder, file.path, inside);
  }
  if (!checkpoints) target.cached("UPDATE checkpoint SET kept=0 WHERE run=?").run(row);
}

[[noreturn]] void damaged(const Database& source, const std::string& path) {
  throw Error(ExitCode::storage,
              {fmt::format("the packed file \"{}\" is damaged", printable(clip(path, 80))),
               printable(source.path().string()), "export it again"});
}

/// Puts the run's files into `to`, a folder beneath `folder`, each synced.
void unpack_run(const Database& source, std::int64_t run, const Beneath& folder,
                const std::string& to) {
  auto& files = source.cached("SELECT id, path, bytes, sha256 FROM packed_file WHERE run=?");
  for (bool more = files.start(run); more; more = files.step()) {
    const auto path = files.text(1);
    if (!is_plain_path(path) || path == "run.lock") damaged(source, path);
    const auto shown = folder.root() / to / path;
    const Descriptor file(folder.create(to + "/" + path));
    Sha256 digest;
    std::int64_t bytes = 0;
    auto& pieces = source.cached("SELECT data FROM packed_piece WHERE file=? ORDER BY number");
    for (bool next = pieces.start(files.integer(0)); next; next = pieces.step()) {
      const auto piece = pieces.blob(0);
      digest.update(piece);
      bytes += std::ssize(piece);
      write_all(file.get(), shown, piece);
    }
    pieces.reset();
    if (bytes != files.integer(2) || digest.hex() != files.text(3)) damaged(source, path);
    fsync(file.get());
  }
  files.reset();
}

void copy_run_files(const Database& source, const SourceRun& run, const Beneath& folder,
                    const std::string& to) {
  if (!is_plain_component(run.folder)) return;
  const Beneath theirs(source.path().parent_path());
  for (const auto& one : files_of(theirs, run.folder)) {
    const auto path = to + one.path.substr(run.folder.size());
    const Descriptor from(theirs.open_for_reading(one.path)), file(folder.create(path));
    read_pieces(from.get(), theirs.root() / one.path,
                [&](auto piece) { write_all(file.get(), folder.root() / path, piece); });
    fsync(file.get());
  }
}

class Merger {
 public:
  Merger(const fs::path& database, const fs::path& source)
      : source_(open_for_reading(source)),
        target_(open_for_writing(database)),
        folder_(target_.path().parent_path()),
        copier_(source_, target_) {
    check_version(source_);
    if (fs::equivalent(source_.path(), target_.path()))
      throw Error(ExitCode::usage, {"a tracker cannot be merged into itself",
                                    printable(source_.path().string()), ""});
  }

  ~Merger() { close_after_writing(std::move(target_)); }
  Merger(const Merger&) = delete;
  Merger& operator=(const Merger&) = delete;

  std::vector<Merged> all() {
    std::vector<Merged> out;
    for (const auto& run : runs_of(source_)) out.push_back({run.id, run.name, take(run)});
    Transaction transaction(target_);
    copier_.finish(true);
    transaction.commit();
    return out;
  }
  void sweeps() {
    std::vector<std::int64_t> all;
    auto& rows = source_.cached("SELECT id FROM sweep");
    while (rows.step()) all.push_back(rows.integer(0));
    rows.reset();
    Transaction transaction(target_);
    for (const auto one : all) copier_.sweep(one);
    transaction.commit();
  }

 private:
  using What = Merged::What;

  What take(const SourceRun& run) {
    if (run.id.size() < 8 || run.id.find_first_not_of("0123456789abcdef-") != run.id.npos)
      throw Error(ExitCode::storage, {fmt::format("\"{}\" is no run's id", printable(run.id)),
                                      printable(source_.path().string()), ""});
    if (run.trashed) return What::trashed;
    if (is_alive(source_, run.folder)) return What::running;
    auto& rows = target_.cached("SELECT updated, folder, trashed FROM run WHERE uuid=?");
    const bool there = rows.start(run.id);
    const auto updated = there ? rows.integer(0) : 0;
    const auto old_folder = there ? rows.text(1) : std::string{};
    const bool trashed = there && !rows.is_null(2);
    rows.reset();
    if (trashed) return What::trashed;
    if (there && run.updated <= updated) return What::same;
    if (there && is_alive(target_, old_folder)) return What::running;
    const bool usable = there && is_plain_component(old_folder);
    bring(run, usable ? old_folder : free_folder(run));
    return there ? What::updated : What::added;
  }

  /// `<name>-<short id>`; the longer id where another run has that.
  std::string free_folder(const SourceRun& run) {
    const auto name = folder_name(run.name, run.id.substr(run.id.size() - 8));
    auto& taken = target_.cached("SELECT 1 FROM run WHERE folder=?");
    const bool other = taken.start(name);
    taken.reset();
    return other ? folder_name(run.id, run.id.substr(run.id.size() - 8)) : name;
  }

  /// Files first, under a name that says that they are not all there yet; then the rows.
  void bring(const SourceRun& run, const std::string& name) {
    const bool packed = source_.pragma("user_version") >= 2 && has_packed(run.row);
    const bool beside = fs::equivalent(source_.path().parent_path(), folder_.root());
    // Of a tracker in this very folder the runs' folders are here already.
    if (beside && !packed && is_plain_component(run.folder)) return bring_rows(run, run.folder);
    const auto partial = name + ".partial";
    if (folder_.exists(partial)) folder_.remove_folder(partial);
    { const Descriptor lock_file(folder_.create(partial + "/run.lock")); }
    const auto lock =
        FileLock::take(folder_.root() / partial / "run.lock", std::chrono::milliseconds(0));
    if (!lock) throw Error(ExitCode::usage, "another process is merging this run");
    if (packed)
      unpack_run(source_, run.row, folder_, partial);
    else
      copy_run_files(source_, run, folder_, partial);
    bring_rows(run, name, [&] {
      if (folder_.exists(name)) folder_.remove_folder(name);
      folder_.rename(partial, name);
    });
  }

  void bring_rows(
      const SourceRun& run, const std::string& name,
      const std::function<void()>& before_commit = [] {}) {
    Transaction transaction(target_);
    copier_.run(run.row, name);
    before_commit();
    transaction.commit();
  }

  bool has_packed(std::int64_t run) {
    auto& rows = source_.cached("SELECT 1 FROM packed_file WHERE run=? LIMIT 1");
    const bool found = rows.start(run);
    rows.reset();
    return found;
  }

  Database source_, target_;
  Beneath folder_;
  RowCopier copier_;
};

void sync_file(const fs::path& path) {
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0 || fsync(file.get()) != 0)
    throw Error(ExitCode::storage,
                {"cannot sync: " + system_message(errno), printable(path.string()), ""});
}

void write_export(const Database& source, const std::vector<SourceRun>& runs, const fs::path& path,
                  bool checkpoints, std::string_view sweep) {
  Database target(path, Database::Mode::write);
  // One file, complete before it gets its name: nothing to roll back.
  target.execute("PRAGMA journal_mode=OFF");
  target.execute("PRAGMA synchronous=OFF");
  migrate(target, migrations());
  RowCopier copier(source, target);
  Transaction transaction(target);
  for (const auto& run : runs)
    pack_run(source, target, run, copier.run(run.row, run.folder), checkpoints);
  copier.finish(false);
  if (!sweep.empty()) copier.sweep(find_sweep(source, sweep).row);
  transaction.commit();
}

void write_file(const fs::path& database, const std::vector<std::string>& ids, const fs::path& file,
                bool checkpoints, std::string_view sweep) {
  const Database source = open_for_reading(database);
  check_version(source);
  std::vector<SourceRun> runs;
  for (const auto& run : runs_of(source)) {
    if (std::find(ids.begin(), ids.end(), run.id) == ids.end()) continue;
    if (is_alive(source, run.folder))
      throw Error(ExitCode::usage, {fmt::format("{} is still running", printable(run.name)), "",
                                    "wait for its end, or stop it (`bcx show` says its process)"});
    runs.push_back(run);
  }
  if (fs::exists(file))
    throw Error(ExitCode::usage,
                {"this file is there already", printable(file.string()), "name another one"});
  const fs::path temporary = file.string() + ".tmp";
  std::error_code ignored;
  fs::remove(temporary, ignored);
  try {
    write_export(source, runs, temporary, checkpoints, sweep);
    sync_file(temporary);
    fs::rename(temporary, file);
  } catch (...) {
    fs::remove(temporary, ignored);
    throw;
  }
}

}  // namespace

void export_runs(const fs::path& database, const std::vector<std::string>& runs,
                 const fs::path& file, bool checkpoints) {
  write_file(database, runs, file, checkpoints, {});
}

void export_sweep(const fs::path& database, std::string_view sweep,
                  const std::vector<std::string>& runs, const fs::path& file) {
  write_file(database, runs, file, true, sweep);
}

void merge_sweeps(const fs::path& database, const fs::path& source) {
  Merger(database, source).sweeps();
}

std::vector<Merged> merge(const fs::path& database, const fs::path& source) {
  return Merger(database, source).all();
}

}  // namespace bcx::tracker
