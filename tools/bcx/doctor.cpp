// `bcx doctor`: what this machine has for bcx, and whether the tracker is well.

#include <fmt/format.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>

#include <cstdlib>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/processors.h"
#include "base/text.h"
#include "commands.h"
#include "json_text.h"
#include "load_engine.h"
#include "plugin/catalog.h"
#include "tracker/health.h"
#include "tracker/schema.h"
#include "tracker_text.h"

namespace bcx::cli {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::string database;
  bool json = false;
};

enum class Verdict { fine, note, problem };

struct Finding {
  Verdict verdict = Verdict::fine;
  std::string topic, text;
};
using Findings = std::vector<Finding>;

const char* name_of(Verdict verdict) {
  static constexpr const char* names[] = {"ok", "note", "problem"};
  return names[static_cast<int>(verdict)];
}

/// The value behind `key` in a file of `key : value` lines; empty when there is none.
std::string value_in(const fs::path& file, std::string_view key) {
  std::ifstream lines(file);
  for (std::string line; std::getline(lines, line);) {
    const auto colon = line.find(':');
    if (colon != line.npos && trim(line.substr(0, colon)) == key)
      return std::string(trim(line.substr(colon + 1)));
  }
  return "";
}

void add_machine(Findings& out) {
  utsname system{};
  uname(&system);
  out.push_back({Verdict::fine, "bcx", BCX_VERSION});
  out.push_back({Verdict::fine, "system",
                 fmt::format("{} {}, {}", system.sysname, system.release, system.machine)});
  const auto cores = usable_cores();
  const char* told = std::getenv("OMP_NUM_THREADS");
  out.push_back({Verdict::fine, "processor",
                 fmt::format("{}, {} threads{}", value_in("/proc/cpuinfo", "model name"), cores,
                             told ? fmt::format(" (OMP_NUM_THREADS={})", told) : "")});
  struct sysinfo memory {};
  if (::sysinfo(&memory) == 0) {
    const auto bytes = std::uint64_t{memory.totalram} * memory.mem_unit;
    out.push_back(
        {bytes < 4'000'000'000 ? Verdict::note : Verdict::fine, "memory", human_bytes(bytes)});
  }
}

void add_gpus(Findings& out) {
  std::error_code none;
  int count = 0;
  for (const auto& card : fs::directory_iterator("/proc/driver/nvidia/gpus", none)) {
    ++count;
    out.push_back({Verdict::fine, "gpu", value_in(card.path() / "information", "Model")});
  }
  if (count == 0) out.push_back({Verdict::note, "gpu", "none: training runs on the processor"});
}

void add_libraries(Findings& out) {
  out.push_back({Verdict::fine, "sqlite", tracker::sqlite_version()});
  try {
    load_engine();
    out.push_back({Verdict::fine, "libtorch", "libbcx_engine.so and LibTorch can be loaded"});
  } catch (const Error& error) {
    out.push_back({Verdict::problem, "libtorch", error.what()});
  }
}

void add_plugins(Findings& out) {
  const plugin::PluginCatalog catalog{plugin::Search{}};
  for (const auto& folder : catalog.folders())
    out.push_back({Verdict::fine, "plugins", folder.string()});
  out.push_back({catalog.plugins().empty() ? Verdict::problem : Verdict::fine, "plugins",
                 fmt::format("{} files, {} components", catalog.plugins().size(),
                             catalog.components().size())});
  for (const auto& one : catalog.findings())
    out.push_back(
        {Verdict::problem, "plugins", fmt::format("{}: {}", one.path.string(), one.reason)});
}

void add_runs(Findings& out, const tracker::Health& health) {
  out.push_back({Verdict::fine, "runs",
                 fmt::format("{}, and {} in the trash", grouped(health.runs), health.trashed)});
  if (health.crashed > 0)
    out.push_back({Verdict::note, "runs",
                   fmt::format("{} crashed: bcx runs 'status = \"crashed\"'", health.crashed)});
  if (health.unknown > 0)
    out.push_back({Verdict::note, "runs",
                   fmt::format("{} may still run on another machine", health.unknown)});
  if (health.garbage_files > 0)
    out.push_back(
        {Verdict::note, "files",
         fmt::format("{} files, {}, that nothing needs: bcx gc", grouped(health.garbage_files),
                     human_bytes(static_cast<std::uint64_t>(health.garbage_bytes)))});
}

void add_tracker(Findings& out, const fs::path& path) {
  if (!fs::exists(path)) {
    out.push_back({Verdict::note, "tracker", path.string() + " is not there yet"});
    return;
  }
  const auto health = tracker::examine(path);
  out.push_back(
      {Verdict::fine, "tracker",
       fmt::format("{}, {}, schema {}", fs::absolute(path).string(),
                   human_bytes(static_cast<std::uint64_t>(health.bytes)), health.schema_version)});
  for (const auto& one : health.damage)
    out.push_back({Verdict::problem, "tracker", "damaged: " + one});
  if (!health.damage.empty()) return;
  out.push_back({Verdict::fine, "tracker", "every page and every key is sound"});
  if (health.schema_version != tracker::latest_version())
    out.push_back({Verdict::note, "tracker",
                   health.schema_version > tracker::latest_version()
                       ? "written by a newer bcx: it can be read, not written"
                       : "of an older bcx: brought up to date when next written to"});
  if (health.wal_bytes > 64 << 20)
    out.push_back({Verdict::note, "tracker",
                   fmt::format("{} wait in the WAL: the next run to end moves them",
                               human_bytes(static_cast<std::uint64_t>(health.wal_bytes)))});
  if (health.locked)
    out.push_back({Verdict::note, "tracker", "somebody migrates it or moves its WAL just now"});
  if (!health.writable)
    out.push_back({Verdict::note, "tracker", "its folder cannot be written: reading only"});
  if (!health.network.empty())
    out.push_back({Verdict::problem, "tracker",
                   fmt::format("lies on a network file system ({}): write to a local disk, and "
                               "bcx merge",
                               health.network)});
  add_runs(out, health);
}

int examine(const Options& options) {
  Findings findings;
  add_machine(findings);
  add_gpus(findings);
  add_libraries(findings);
  add_plugins(findings);
  try {
    add_tracker(findings, tracker_path(options.database));
  } catch (const Error& error) {
    findings.push_back({Verdict::problem, "tracker", error.what()});
  }
  auto json = nlohmann::ordered_json::array();
  bool well = true;
  for (const auto& one : findings) {
    well = well && one.verdict != Verdict::problem;
    if (options.json)
      json.push_back({{"verdict", name_of(one.verdict)}, {"topic", one.topic}, {"text", one.text}});
    else
      fmt::print("{:<8} {:<10} {}\n", name_of(one.verdict), one.topic, printable(one.text));
  }
  if (options.json) fmt::print("{}\n", dump(json));
  return static_cast<int>(well ? ExitCode::ok : ExitCode::other);
}

}  // namespace

void add_doctor(CLI::App& app, Action& action) {
  auto* command =
      app.add_subcommand("doctor", "Look at machine, libraries, plugins and tracker for trouble");
  auto options = std::make_shared<Options>();
  command->add_flag("--json", options->json, "As a JSON array");
  add_tracker_option(*command, options->database);
  command->footer("Leaves with 1 when there is a problem.\n\nExample:\n  bcx doctor");
  command->callback([options, &action] { action = [options] { return examine(*options); }; });
}

}  // namespace bcx::cli
