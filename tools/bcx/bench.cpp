#include "bench.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/error.h"
#include "base/paths.h"
#include "base/table.h"
#include "base/temporary_folder.h"
#include "base/text.h"
#include "commands.h"
#include "json_text.h"
#include "tracker_text.h"

extern char** environ;

namespace bcx::cli {
namespace {

nlohmann::ordered_json figure_json(const Figure& figure) {
  nlohmann::ordered_json json{
      {"what", figure.what}, {"value", figure.value}, {"unit", figure.unit}};
  if (figure.least && figure.greatest) {
    json["least"] = *figure.least;
    json["greatest"] = *figure.greatest;
  }
  if (figure.target) json["target"] = *figure.target;
  if (!figure.how.empty()) json["how"] = figure.how;
  return json;
}

std::string amount(double value) {
  return value >= 10'000 ? grouped(static_cast<std::int64_t>(value)) : fmt::format("{:.3g}", value);
}

using Bench = void (*)(const BenchOptions&, const std::filesystem::path&, const TakeFigure&);

/// Says what became worse, on stderr so that --json stays one document. 1 when anything did.
int judge(const std::string& stored, const std::vector<Figure>& figures) {
  Table table({{"what", Align::left, 1},
               {"stored", Align::right, 0},
               {"now", Align::right, 0},
               {"unit", Align::left, 0},
               {"", Align::left, 0}});
  const auto compared = compare_figures(stored, figures);
  bool any = false;
  for (const auto& c : compared) {
    any = any || c.worse;
    table.add({c.what, amount(c.stored), amount(c.now), c.unit,
               c.worse    ? "worse"
               : c.judged ? ""
                          : "measured once: not judged"});
  }
  fmt::print(stderr, "\n{}{}\n", table.text(terminal_width()),
             any ? "worse by more than the stored figures' own spread"
                 : "nothing is worse by more than the stored figures' own spread");
  return any ? static_cast<int>(ExitCode::other) : 0;
}

int measure(const BenchOptions& options, Bench bench) {
  const TemporaryFolder place("bench",
                              options.folder.empty() ? std::filesystem::temp_directory_path()
                                                     : std::filesystem::path(options.folder),
                              "name another place with --folder");
  auto json = nlohmann::ordered_json::array();
  Table table({{"what", Align::left, 1},
               {"measured", Align::right, 0},
               {"unit", Align::left, 0},
               {"target", Align::right, 0},
               {"how", Align::left, 2}});
  std::vector<Figure> figures;
  bench(options, place.path(), [&](const Figure& figure) {
    figures.push_back(figure);
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
  return options.compare.empty() ? 0 : judge(options.compare, figures);
}

double milliseconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_usec) / 1e3;
}

}  // namespace

Figure median_of(std::string what, std::vector<double> values, std::string unit,
                 std::optional<double> target) {
  std::sort(values.begin(), values.end());
  return {std::move(what),
          values[values.size() / 2],
          std::move(unit),
          target,
          fmt::format("median of {}, {} to {}", values.size(), amount(values.front()),
                      amount(values.back())),
          values.front(),
          values.back()};
}

namespace {

/// Waits for a child's end, looking at its anonymous memory until then. Megabytes.
double watch_own_memory(pid_t child) {
  double most = 0;
  siginfo_t info{};
  while (waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
         info.si_pid == 0) {
    std::ifstream status(fmt::format("/proc/{}/status", child));
    for (std::string line; std::getline(status, line);)
      if (line.starts_with("RssAnon:"))
        most = std::max(most, std::atof(line.c_str() + 8) * 1024e-6);  // it tells KiB
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return most;
}

}  // namespace

ProcessCost cost_of_bcx(const std::vector<std::string>& arguments, bool watch_memory) {
  std::vector<std::string> words{"bcx"};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (auto& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  const int said = memfd_create("bcx-stderr", MFD_CLOEXEC);
  posix_spawn_file_actions_adddup2(&actions, said, 2);
  const auto start = std::chrono::steady_clock::now();
  pid_t child = 0;
  const int failed = posix_spawn(&child, "/proc/self/exe", &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) {
    close(said);
    throw Error(ExitCode::other, "cannot start bcx: " + system_message(failed));
  }
  const double own = watch_memory ? watch_own_memory(child) : 0;
  int status = 0;
  rusage usage{};
  wait4(child, &status, 0, &usage);
  const std::chrono::duration<double, std::milli> elapsed =
      std::chrono::steady_clock::now() - start;
  std::string words_said(2'000, '\0');
  words_said.resize(static_cast<std::size_t>(
      std::max<ssize_t>(0, pread(said, words_said.data(), words_said.size(), 0))));
  close(said);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
    throw Error(ExitCode::other,
                {"failed: " + printable(trim(words_said)), "bcx " + join(arguments, " "), ""});
  return {elapsed.count(), milliseconds(usage.ru_utime) + milliseconds(usage.ru_stime),
          static_cast<double>(usage.ru_maxrss) * 1024e-6, own};
}

bool more_is_better(const Figure& figure) {
  return figure.unit.ends_with("/s");
}

std::vector<Compared> compare_figures(const std::filesystem::path& stored,
                                      const std::vector<Figure>& now) {
  const auto json = nlohmann::json::parse(read_text(stored, 1 << 20, ExitCode::data), nullptr,
                                          /*allow_exceptions=*/false);
  const auto number = [](const nlohmann::json& one, const char* key) -> std::optional<double> {
    const auto found = one.is_object() ? one.find(key) : one.end();
    if (!one.is_object() || found == one.end() || !found->is_number()) return std::nullopt;
    return found->get<double>();
  };
  std::vector<Compared> result;
  bool readable = json.is_array();
  for (const auto& figure : now) {
    for (const auto& one : json.is_array() ? json : nlohmann::json::array()) {
      const auto value = number(one, "value"), least = number(one, "least"),
                 greatest = number(one, "greatest");
      readable = readable && value.has_value();
      if (!value || one.value("what", nlohmann::json()) != figure.what) continue;
      const double loss = more_is_better(figure) ? *value - figure.value : figure.value - *value;
      const bool judged = least && greatest;
      result.push_back({figure.what, figure.unit, *value, figure.value, judged,
                        judged && loss > *greatest - *least});
    }
  }
  if (!readable)
    throw Error(ExitCode::data, {"holds no figures", printable(stored.string()),
                                 "store them with `bcx bench KIND --json > FILE`"});
  if (result.empty())
    throw Error(ExitCode::data,
                {"holds none of the figures that were measured", printable(stored.string()),
                 "compare with what the same `bcx bench KIND --json` wrote"});
  return result;
}

namespace {

void add_folder(CLI::App& command, BenchOptions& options) {
  command
      .add_option("--folder", options.folder,
                  "Measure on this file system (default: the temporary folder)")
      ->type_name("DIR")
      ->check(CLI::ExistingDirectory);
}

void add_data(CLI::App& command, BenchOptions& options) {
  add_folder(command, options);
  command.add_option("--images", options.images, "Pictures of 700 x 460 pixels (default: 64)")
      ->type_name("N")
      ->check(CLI::Range(12, 100'000));
  command.add_option("--image-size", options.image_size, "Pixels a side (default: 224)")
      ->type_name("N")
      ->check(CLI::Range(8, 4096));
}

void add_model(CLI::App& command, BenchOptions& options) {
  command.add_option("--backbone", options.backbone, "Default: densenet201")->type_name("NAME");
  command.add_option("--batch-size", options.batch_size, "Default: 16")
      ->type_name("N")
      ->check(CLI::Range(1, 65'536));
  command.add_option("--image-size", options.image_size, "Pixels a side (default: 224)")
      ->type_name("N")
      ->check(CLI::Range(8, 4096));
  command.add_option("--precision", options.precision, "auto, fp32, bf16 or fp16 (default: auto)")
      ->type_name("NAME");
  command.add_option("--steps", options.steps, "How many are timed (default: 10)")
      ->type_name("N")
      ->check(CLI::Range(1, 100'000));
  command.add_option("--threads", options.threads, "Default: the cores this process may use")
      ->type_name("N")
      ->check(CLI::Range(0, 4096));
  command.add_option("--device", options.device, "auto, cpu, cuda or cuda:N (default: auto)")
      ->type_name("NAME");
  command.add_option("--set", options.sets, "Set a key of the experiment (repeatable)")
      ->type_name("K=V")
      ->expected(1)
      ->take_all()
      ->allow_extra_args(false);
  command
      .add_option("--plugin-path", options.plugin_paths, "Look for plugins here first (repeatable)")
      ->type_name("DIR")
      ->expected(1)
      ->take_all()
      ->allow_extra_args(false);
}

void add_growth(CLI::App& command, BenchOptions& options) {
  add_folder(command, options);
  command
      .add_option("--of", options.of, join(growth_parts(), ", ") + " (repeatable; default: all)")
      ->type_name("NAME")
      ->expected(1)
      ->take_all()
      ->allow_extra_args(false)
      ->check(CLI::IsMember(growth_parts()));
  command
      .add_option("--largest", options.largest,
                  "Leave out numbers above this one (default: 1,000,000)")
      ->type_name("N")
      ->check(CLI::Range(1'000, 1'000'000));
}

struct Kind {
  const char* name;
  const char* help;
  void (*options)(CLI::App&, BenchOptions&);
  Bench bench;
};

constexpr std::array<Kind, 6> kinds{{
    {"train", "Optimizer steps on synthetic pictures", add_model, bench_train},
    {"infer", "Forward passes on synthetic pictures", add_model, bench_infer},
    {"data", "Finding, decoding and opening pictures", add_data, bench_data},
    {"tracker", "Recording, losing nothing, listing and drawing runs", add_folder, bench_tracker},
    {"sweep", "What a trial costs beside its training", add_folder, bench_sweep},
    {"growth", "How costs grow with images, classes, epochs, runs, batch size", add_growth,
     bench_growth},
}};

}  // namespace

void add_bench(CLI::App& app, Action& action) {
  auto* family = app.add_subcommand("bench", "Measure what things cost on this machine");
  family->require_subcommand(1);
  for (const auto& kind : kinds) {
    auto options = std::make_shared<BenchOptions>();
    auto* command = family->add_subcommand(kind.name, kind.help);
    kind.options(*command, *options);
    command->add_flag("--json", options->json, "As a JSON array");
    command
        ->add_option("--compare", options->compare,
                     "Say what is worse than in this file, which --json wrote; then exit with 1")
        ->type_name("FILE")
        ->check(CLI::ExistingFile);
    command->footer(
        fmt::format("Example:\n  bcx bench {} --json > before.json\n"
                    "  bcx bench {} --compare before.json",
                    kind.name, kind.name));
    command->callback([options, bench = kind.bench, &action] {
      action = [options, bench] { return measure(*options, bench); };
    });
  }
}

}  // namespace bcx::cli
