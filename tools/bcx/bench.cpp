#include "bench.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/table.h"
#include "base/text.h"
#include "commands.h"
#include "tracker_text.h"

extern char** environ;

namespace bcx::cli {
namespace {

struct Options {
  std::string folder;
  bool json = false;
};

/// A folder of its own for a bench, removed with everything in it.
class Workplace {
 public:
  explicit Workplace(const std::string& parent) {
    const std::filesystem::path base =
        parent.empty() ? std::filesystem::temp_directory_path() : std::filesystem::path(parent);
    std::string pattern = (base / "bcx-bench-XXXXXX").string();
    if (!mkdtemp(pattern.data()))
      throw Error(ExitCode::storage, {"cannot make a folder: " + system_message(errno),
                                      printable(pattern), "name another place with --folder"});
    path_ = pattern;
  }
  ~Workplace() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Workplace(const Workplace&) = delete;
  Workplace& operator=(const Workplace&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

nlohmann::ordered_json figure_json(const Figure& figure) {
  nlohmann::ordered_json json{
      {"what", figure.what}, {"value", figure.value}, {"unit", figure.unit}};
  if (figure.target) json["target"] = *figure.target;
  if (!figure.how.empty()) json["how"] = figure.how;
  return json;
}

std::string amount(double value) {
  return value >= 10'000 ? grouped(static_cast<std::int64_t>(value)) : fmt::format("{:.3g}", value);
}

using Bench = void (*)(const std::filesystem::path&, const TakeFigure&);

int measure(const Options& options, Bench bench) {
  const Workplace place(options.folder);
  auto json = nlohmann::ordered_json::array();
  Table table({{"what", Align::left, 1},
               {"measured", Align::right, 0},
               {"unit", Align::left, 0},
               {"target", Align::right, 0},
               {"how", Align::left, 2}});
  bench(place.path(), [&](const Figure& figure) {
    json.push_back(figure_json(figure));
    table.add({figure.what, amount(figure.value), figure.unit,
               figure.target ? amount(*figure.target) : "", figure.how});
    if (!options.json)
      fmt::print(stderr, "{}: {} {}\n", figure.what, amount(figure.value), figure.unit);
  });
  if (options.json)
    fmt::print("{}\n", dump(json));
  else
    fmt::print("{}", table.text(terminal_width()));
  return 0;
}

double milliseconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_usec) / 1e3;
}

}  // namespace

Figure median_of(std::string what, std::vector<double> values, std::string unit,
                 std::optional<double> target) {
  std::sort(values.begin(), values.end());
  return {std::move(what), values[values.size() / 2], std::move(unit), target,
          fmt::format("median of {}, {} to {}", values.size(), amount(values.front()),
                      amount(values.back()))};
}

ProcessCost cost_of_bcx(const std::vector<std::string>& arguments) {
  std::vector<std::string> words{"bcx"};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (auto& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  for (const int descriptor : {1, 2})
    posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/null", O_WRONLY, 0);
  const auto start = std::chrono::steady_clock::now();
  pid_t child = 0;
  const int failed = posix_spawn(&child, "/proc/self/exe", &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) throw Error(ExitCode::other, "cannot start bcx: " + system_message(failed));
  int status = 0;
  rusage usage{};
  wait4(child, &status, 0, &usage);
  const std::chrono::duration<double, std::milli> elapsed =
      std::chrono::steady_clock::now() - start;
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
    throw Error(ExitCode::other, fmt::format("bcx {} failed", join(arguments, " ")));
  return {elapsed.count(), milliseconds(usage.ru_utime) + milliseconds(usage.ru_stime)};
}

void add_bench(CLI::App& app, Action& action) {
  auto* family = app.add_subcommand("bench", "Measure what things cost on this machine");
  family->require_subcommand(1);
  const std::array<std::tuple<const char*, const char*, Bench>, 2> kinds{
      {{"tracker", "Recording, losing nothing, listing and drawing runs", bench_tracker},
       {"sweep", "What a trial costs beside its training", bench_sweep}}};
  for (const auto& [name, help, bench] : kinds) {
    auto options = std::make_shared<Options>();
    auto* command = family->add_subcommand(name, help);
    command
        ->add_option("--folder", options->folder,
                     "Measure on this file system (default: the temporary folder)")
        ->type_name("DIR")
        ->check(CLI::ExistingDirectory);
    command->add_flag("--json", options->json, "As a JSON array");
    command->footer(fmt::format("Example:\n  bcx bench {}", name));
    command->callback([options, bench = bench, &action] {
      action = [options, bench] { return measure(*options, bench); };
    });
  }
}

}  // namespace bcx::cli
