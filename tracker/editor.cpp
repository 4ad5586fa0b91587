#include "tracker/editor.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "tracker/beneath.h"
#include "tracker/file_lock.h"
#include "tracker/host.h"
#include "tracker/run_store.h"
#include "tracker/schema.h"

namespace bcx::tracker {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::milliseconds readers_glance(300);
constexpr std::size_t longest_note = 100'000, longest_name = 200, longest_tag = 100;

Database open_existing(const fs::path& path) {
  open_for_reading(path);  // says what to do when it is not there, or no tracker
  return open_for_writing(path);
}

[[noreturn]] void refuse(std::string what, std::string remedy) {
  throw Error(ExitCode::usage, {std::move(what), "", std::move(remedy)});
}

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 32 || c == 127; });
}

void check_tag(const std::string& tag) {
  if (tag.empty() || tag.size() > longest_tag || has_control(tag) || tag.find(',') != tag.npos)
    refuse(fmt::format("\"{}\" cannot be a tag", printable(clip(tag, 60))),
           "at most 100 bytes, no comma and no control characters");
}

std::string in_trash(const std::string& folder) {
  return std::string(trash_folder) + "/" + folder;
}

}  // namespace

Editor::Editor(const fs::path& database) : database_(open_existing(database)) {}

Editor::~Editor() {
  close_after_writing(std::move(database_));
}

Editor::Row Editor::row(const std::string& run) const {
  auto& rows = database_.cached("SELECT id, name, folder, trashed FROM run WHERE uuid=?");
  if (!rows.start(run))
    refuse(fmt::format("no run has the id \"{}\"", printable(run)), "`bcx runs` lists them");
  Row out{rows.integer(0), rows.text(1), rows.text(2), !rows.is_null(3)};
  rows.reset();
  return out;
}

void Editor::tag(const std::string& run, const std::vector<std::string>& add,
                 const std::vector<std::string>& remove) {
  for (const auto& tag : add) check_tag(tag);
  Transaction transaction(database_);
  const auto id = row(run).id;
  for (const auto& tag : add)
    database_.cached("INSERT OR IGNORE INTO run_tag (run, tag) VALUES (?,?)").run(id, tag);
  for (const auto& tag : remove)
    database_.cached("DELETE FROM run_tag WHERE run=? AND tag=?").run(id, tag);
  transaction.commit();
}

void Editor::note(const std::string& run, const std::string& text, bool replace) {
  Transaction transaction(database_);
  const auto id = row(run).id;
  auto& old = database_.cached("SELECT length(CAST(notes AS BLOB)) FROM run WHERE id=?");
  old.start(id);
  const auto size = (replace ? 0 : old.integer(0)) + std::ssize(text);
  old.reset();
  if (size > static_cast<std::int64_t>(longest_note))
    refuse("a run's notes can have 100 kB", "put longer texts into a file of the run's folder");
  database_
      .cached(
          "UPDATE run SET notes=CASE WHEN ?3 OR notes='' THEN ?2 ELSE notes || char(10) || ?2 END "
          "WHERE id=?1")
      .run(id, text, replace);
  transaction.commit();
}

void Editor::rename(const std::string& run, const std::string& name) {
  if (trim(name).empty() || name.size() > longest_name || has_control(name) || name[0] == '@')
    refuse(fmt::format("\"{}\" cannot be a run's name", printable(clip(name, 60))),
           "at most 200 bytes, no control characters, no @ at its beginning");
  Transaction transaction(database_);
  database_.cached("UPDATE run SET name=? WHERE id=?").run(name, row(run).id);
  transaction.commit();
}

void Editor::replace_artifacts(
    const std::string& run, const std::string& prefix,
    const std::function<std::vector<ArtifactRow>(const fs::path& folder)>& make) {
  const auto found = row(run);
  const Beneath folder(database_.path().parent_path());
  if (found.trashed || !is_plain_component(found.folder) || !folder.exists(found.folder))
    refuse(fmt::format("the folder of {} is not there", printable(found.name)),
           "it may be in the trash: `bcx rm --list`");
  const auto lock = FileLock::take(folder.root() / found.folder / "run.lock", readers_glance);
  if (!lock)
    refuse(fmt::format("{} is still running", printable(found.name)),
           "wait for its end, or write the files elsewhere with --out");
  const auto rows = make(folder.root() / found.folder);
  std::vector<std::string> stale;
  {
    Transaction transaction(database_);
    auto& old = database_.cached(
        "SELECT path FROM artifact WHERE run=?1 AND substr(name, 1, length(?2))=?2");
    for (bool more = old.start(found.id, prefix); more; more = old.step())
      stale.push_back(old.text(0));
    old.reset();
    database_.cached("DELETE FROM artifact WHERE run=?1 AND substr(name, 1, length(?2))=?2")
        .run(found.id, prefix);
    for (const auto& artifact : rows) {
      const auto path = found.folder + "/" + artifact.name;
      std::erase(stale, path);
      database_
          .cached(
              "INSERT OR REPLACE INTO artifact (run, name, kind, path, bytes, sha256, time) "
              "VALUES (?,?,?,?,?,?,?)")
          .run(found.id, artifact.name, artifact.kind, path, artifact.bytes, artifact.sha256,
               now_microseconds());
    }
    transaction.commit();
  }
  for (const auto& path : stale)
    if (path.starts_with(found.folder + "/" + prefix) && folder.exists(path))
      folder.remove_file(path);
}

void Editor::trash(const std::string& run) {
  const auto found = row(run);
  const Beneath folder(database_.path().parent_path());
  const bool has_folder = is_plain_component(found.folder) && folder.exists(found.folder);
  std::optional<FileLock> lock;
  if (has_folder) {
    lock = FileLock::take(folder.root() / found.folder / "run.lock", readers_glance);
    if (!lock)
      refuse(fmt::format("{} is still running", printable(found.name)),
             "stop it first (`bcx show` says its process)");
  }
  // The row first: cut short in between, the run is hidden and its folder is found in either place.
  {
    Transaction transaction(database_);
    database_.cached("UPDATE run SET trashed=coalesce(trashed, ?) WHERE id=?")
        .run(now_microseconds(), found.id);
    transaction.commit();
  }
  if (has_folder) folder.rename(found.folder, in_trash(found.folder));
}

void Editor::restore(const std::string& run) {
  const auto found = row(run);
  const Beneath folder(database_.path().parent_path());
  if (is_plain_component(found.folder) && folder.exists(in_trash(found.folder))) {
    folder.rename(in_trash(found.folder), found.folder);
    folder.remove_empty_folders(std::string(trash_folder));
  }
  Transaction transaction(database_);
  database_.cached("UPDATE run SET trashed=NULL WHERE id=?").run(found.id);
  transaction.commit();
}

std::vector<TrashedRun> trashed_runs(const fs::path& path) {
  const auto database = open_for_reading(path);
  std::vector<TrashedRun> out;
  auto rows = database.prepare(
      "SELECT uuid, name, started, trashed FROM run WHERE trashed IS NOT NULL "
      "ORDER BY trashed DESC, id DESC");
  while (rows.step()) {
    const auto id = rows.text(0);
    out.push_back({id, id.substr(id.size() - std::min<std::size_t>(8, id.size())), rows.text(1),
                   rows.integer(2), rows.integer(3)});
  }
  return out;
}

std::string find_trashed(const fs::path& database, std::string_view what) {
  const auto all = trashed_runs(database);
  for (const auto& one : all)
    if (one.id == what || one.name == what) return one.id;
  std::vector<std::string> found;
  for (const auto& one : all)
    if (what.size() >= 4 && (one.id.starts_with(what) || one.short_id.starts_with(what)))
      found.push_back(one.id);
  if (found.size() == 1) return found[0];
  refuse(found.empty()
             ? fmt::format("no run in the trash has the id or name \"{}\"", printable(what))
             : fmt::format("\"{}\" begins {} ids in the trash", printable(what), found.size()),
         "`bcx rm --list` lists them");
}

}  // namespace bcx::tracker
