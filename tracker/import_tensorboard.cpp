#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "base/error.h"
#include "base/text.h"
#include "tracker/event_file.h"
#include "tracker/import.h"
#include "tracker/import_staging.h"
#include "tracker/run_store.h"

namespace bcx::tracker {
namespace {

namespace fs = std::filesystem;

bool is_event_file(const fs::path& path) {
  return path.filename().string().find("tfevents") != std::string::npos;
}

/// Folder → its event files by name, which begins with the time of creation.
std::map<fs::path, std::vector<fs::path>> event_files(const fs::path& path) {
  std::map<fs::path, std::vector<fs::path>> out;
  if (fs::is_regular_file(path)) {
    out[path.parent_path()].push_back(path);
  } else if (fs::is_directory(path)) {
    for (const auto& entry : fs::recursive_directory_iterator(path))
      if (entry.is_regular_file() && is_event_file(entry.path()))
        out[entry.path().parent_path()].push_back(entry.path());
  }
  for (auto& [folder, files] : out) std::sort(files.begin(), files.end());
  if (out.empty())
    throw Error(ExitCode::data, {"there is no event file (*tfevents*) here",
                                 printable(path.string()), "name a log folder of TensorBoard's"});
  return out;
}

std::int64_t microseconds(double seconds) {
  return std::isfinite(seconds) && std::abs(seconds) < 1e12
             ? static_cast<std::int64_t>(seconds * 1e6)
             : 0;
}

std::string run_name(const fs::path& folder, const fs::path& root) {
  const auto relative = folder.lexically_relative(root).generic_string();
  if (!relative.empty() && relative != ".") return relative;
  const auto name = fs::absolute(folder).lexically_normal().filename().string();
  return name.empty() ? "tensorboard" : name;
}

ImportedRun read_run(const std::string& name, const std::vector<fs::path>& files) {
  ImportedRun run;
  run.description.name = name;
  run.description.version = "tensorboard";
  for (const auto& path : files) {
    const auto file = read_event_file(path);
    if (run.id.empty()) run.id = uuid_of("tensorboard " + name + "\n" + file.first_record);
    if (file.cut_short) run.exit_reason = "its last record is cut short";
    for (const auto& one : file.scalars) {
      const auto time = microseconds(one.wall_time);
      run.metrics[metric_name(one.tag)][one.step] = {one.step, std::nan(""), one.value, time};
      run.started = run.started == 0 ? time : std::min(run.started, time);
      run.ended = std::max(run.ended, time);
    }
  }
  if (!run.exit_reason.empty()) run.status = Status::stopped;
  return run;
}

}  // namespace

std::vector<Merged> import_tensorboard(const fs::path& database, const fs::path& path) {
  Staging staging;
  for (const auto& [folder, files] : event_files(path))
    staging.add(read_run(run_name(folder, path), files));
  return staging.merge_into(database);
}

void export_tensorboard(const fs::path& database, const std::vector<std::string>& runs,
                        const fs::path& folder) {
  const Reader reader(database);
  for (const auto& id : runs) {
    const auto run = reader.run(id);
    const auto into = folder / folder_name(run.name, run.short_id);
    const auto file =
        into / fmt::format("events.out.tfevents.{}.bcx.{}", run.started / 1'000'000, run.short_id);
    if (fs::exists(file))
      throw Error(ExitCode::usage,
                  {"this file is there already", printable(file.string()), "name another folder"});
    std::vector<ScalarEvent> scalars;
    for (const auto& key : reader.metric_keys(id))
      for (const auto& point : reader.series(id, key))
        scalars.push_back({key, point.step, point.value, static_cast<double>(point.time) / 1e6});
    std::stable_sort(scalars.begin(), scalars.end(),
                     [](const auto& a, const auto& b) { return a.step < b.step; });
    std::error_code error;
    fs::create_directories(into, error);
    if (error)
      throw Error(ExitCode::storage, {"cannot make the folder: " + system_message(error.value()),
                                      printable(into.string()), ""});
    write_event_file(file, scalars);
  }
}

}  // namespace bcx::tracker
