#include "try_out.h"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/table.h"
#include "base/text.h"
#include "json_text.h"
#include "load_engine.h"
#include "tracker/plot.h"
#include "weights/process.h"

namespace bcx::cli {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::int64_t dry_steps = 3;
constexpr double memory_share =
    0.9;  // the rest is for validation, the tracker, and other processes

json to_json(const engine::Rehearsal& r) {
  return {{"device", r.device},
          {"precision", r.precision},
          {"batch_size", r.batch_size},
          {"steps_per_epoch", r.steps_per_epoch},
          {"samples_per_step", r.samples_per_step},
          {"seconds_per_step", r.seconds_per_step},
          {"images_per_second", r.images_per_second},
          {"loss", r.loss},
          {"peak_memory", r.peak_memory},
          {"free_memory", r.free_memory}};
}

/// One batch size tried in a process of its own.
struct Trial {
  std::int64_t batch_size = 0;
  std::optional<engine::Rehearsal> result;
  std::string problem;
};

class TemporaryFile {
 public:
  TemporaryFile() {
    std::string pattern = (fs::temp_directory_path() / "bcx-try-XXXXXX").string();
    const int file = mkstemp(pattern.data());
    if (file < 0)
      throw Error(ExitCode::storage, {"no temporary file can be made: " + system_message(errno),
                                      printable(pattern), ""});
    close(file);
    path_ = pattern;
  }
  ~TemporaryFile() {
    std::error_code ignored;
    fs::remove(path_, ignored);
  }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

engine::Rehearsal from_json(const json& j) {
  engine::Rehearsal r;
  r.batch_size = j.at("batch_size");
  r.steps_per_epoch = j.at("steps_per_epoch");
  r.seconds_per_step = j.at("seconds_per_step");
  r.images_per_second = j.at("images_per_second");
  r.peak_memory = j.at("peak_memory");
  r.free_memory = j.at("free_memory");
  return r;
}

Trial try_batch_size(const ExperimentOptions& options, std::int64_t batch_size) {
  std::vector<std::string> arguments{fs::read_symlink("/proc/self/exe").string(), "run",
                                     options.file, "--dry-run", "--json"};
  for (const auto& path : options.plugin_paths)
    arguments.insert(arguments.end(), {"--plugin-path", path});
  for (const auto& set : options.sets) arguments.insert(arguments.end(), {"--set", set});
  for (const auto& option : options.options)
    if (option.option == "--device") arguments.insert(arguments.end(), {"--device", option.text});
  arguments.insert(arguments.end(), {"--set", fmt::format("train.batch_size={}", batch_size)});
  const TemporaryFile log;
  const int code = weights::run_process(arguments, log.path());
  Trial trial{batch_size, std::nullopt, {}};
  std::ifstream lines(log.path());
  for (std::string line; std::getline(lines, line);)
    if (const auto j = json::parse(line, nullptr, false); code == 0 && j.is_object())
      trial.result = from_json(j);
  if (trial.result) return trial;
  const auto said = weights::last_line(log.path());
  if (code == 128 + SIGKILL)
    trial.problem = "killed by the kernel: out of memory";
  else if (code == static_cast<int>(ExitCode::device) &&
           said.find("out of memory") != std::string::npos)
    trial.problem = "out of memory";
  else  // nothing about its size
    throw Error(ExitCode{code}, {"a trial with this batch size failed: " + said,
                                 fmt::format("train.batch_size={}", batch_size),
                                 "see what `bcx run --dry-run` says"});
  return trial;
}

/// Whether twice the size of the last trial would leave too little memory, by a line through the
/// last two.
bool would_not_fit(const std::vector<Trial>& trials) {
  const auto& last = *trials.back().result;
  const auto peak = static_cast<double>(last.peak_memory);
  double growth = peak;
  if (trials.size() > 1) {
    const auto& before = *trials[trials.size() - 2].result;
    growth = 2 * (peak - static_cast<double>(before.peak_memory));
  }
  return peak + growth > memory_share * (static_cast<double>(last.free_memory) + peak);
}

void print_trials(const std::vector<Trial>& trials) {
  Table table({{"batch size", Align::right, 0},
               {"images/s", Align::right, 0},
               {"s/step", Align::right, 0},
               {"steps/epoch", Align::right, 0},
               {"peak memory", Align::right, 0},
               {"", Align::left, 1}});
  for (const auto& trial : trials) {
    const auto& r = trial.result;
    if (r)
      table.add({std::to_string(trial.batch_size), fmt::format("{:.1f}", r->images_per_second),
                 fmt::format("{:.3f}", r->seconds_per_step), std::to_string(r->steps_per_epoch),
                 human_bytes(r->peak_memory)});
    else
      table.add({std::to_string(trial.batch_size), "", "", "", "", trial.problem});
  }
  fmt::print("{}", table.text(terminal_width()));
}

}  // namespace

int dry_run(const engine::RunRequest& request, train::Observer& observer, bool as_json) {
  const auto r = load_engine().rehearse(request, dry_steps, observer);
  if (as_json) {
    fmt::print("{}\n", dump_line(to_json(r)));
    return 0;
  }
  const auto epochs = request.experiment.train.epochs;
  const double epoch = r.seconds_per_step * static_cast<double>(r.steps_per_epoch);
  fmt::print(
      "{} steps and a validation batch went well; nothing was recorded\n"
      "{}, {}: {:.3f} s a step of {} images, {:.1f} images/s, loss {:.4f}\n"
      "an epoch has {} steps: about {}; {} epochs: about {}, without validation\n"
      "peak memory {}, {} left\n",
      dry_steps, r.device, r.precision, r.seconds_per_step, r.samples_per_step, r.images_per_second,
      r.loss, r.steps_per_epoch, human_duration(epoch), epochs,
      human_duration(epoch * static_cast<double>(epochs)), human_bytes(r.peak_memory),
      human_bytes(r.free_memory));
  return 0;
}

std::optional<double> find_learning_rate(const engine::RunRequest& request,
                                         train::Observer& observer, bool as_json) {
  const auto test = load_engine().find_learning_rate(request, observer);
  if (as_json) {
    fmt::print(
        "{}\n",
        dump_line(json({{"id", test.id},
                        {"learning_rate", test.rates},
                        {"loss", test.losses},
                        {"suggestion", test.suggestion ? json(*test.suggestion) : json()}})));
    return test.suggestion;
  }
  tracker::PlotSeries series{"loss", {}, test.losses};
  for (const double rate : test.rates) series.x.push_back(std::log10(rate));
  const int width = terminal_width();
  fmt::print("{}",
             tracker::plot({&series, 1}, "log10 learning rate", {width > 0 ? width : 80, 16}));
  if (test.suggestion)
    fmt::print("steepest fall at {:.2g}: --set optimizer.learning_rate={:.2g}\n", *test.suggestion,
               *test.suggestion);
  else
    fmt::print("the loss never fell: no learning rate can be suggested\n");
  return test.suggestion;
}

int find_batch_size(const ExperimentOptions& options, const config::Experiment& experiment,
                    bool as_json) {
  std::vector<Trial> trials;
  std::string reason = "the training part is one batch";
  for (std::int64_t size = 2;; size *= 2) {
    if (!as_json) fmt::print(stderr, "trying a batch size of {}\n", size);
    trials.push_back(try_batch_size(options, size));
    const auto& result = trials.back().result;
    if (!result) {
      reason = trials.back().problem;
      break;
    }
    if (result->steps_per_epoch <= 1) break;
    if (would_not_fit(trials)) {
      reason = fmt::format("{} would leave less than a tenth of the memory", 2 * size);
      break;
    }
  }
  const Trial* largest = nullptr;
  const Trial* fastest = nullptr;
  for (const auto& trial : trials) {
    if (!trial.result) continue;
    largest = &trial;
    if (!fastest || trial.result->images_per_second > fastest->result->images_per_second)
      fastest = &trial;
  }
  if (!largest)
    throw Error(ExitCode::device, {"not even a batch of 2 fits", experiment.name,
                                   "lower data.image_size or take a smaller backbone"});
  if (as_json) {
    auto list = json::array();
    for (const auto& trial : trials)
      list.push_back(trial.result
                         ? to_json(*trial.result)
                         : json({{"batch_size", trial.batch_size}, {"problem", trial.problem}}));
    fmt::print("{}\n", dump_line(json({{"trials", list},
                                       {"largest", largest->batch_size},
                                       {"fastest", fastest->batch_size},
                                       {"reason", reason}})));
    return 0;
  }
  print_trials(trials);
  fmt::print("largest: {} ({}); most images/s: {}. Take one with --set train.batch_size=N\n",
             largest->batch_size, reason, fastest->batch_size);
  return 0;
}

}  // namespace bcx::cli
