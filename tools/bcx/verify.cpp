// `bcx verify`: proves exact resume for the user's own experiment. A short copy is trained twice in
// a temporary folder, once in one piece and once killed and stopped at random steps; both must end
// with the same bytes.

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <random>

#include "base/error.h"
#include "base/signals.h"
#include "base/temporary_folder.h"
#include "base/text.h"
#include "commands.h"
#include "json_text.h"
#include "load_engine.h"
#include "open_experiment.h"
#include "resume_point.h"
#include "run_request.h"
#include "tracker/reader.h"
#include "verify_compare.h"
#include "verify_saboteur.h"

namespace bcx::cli {
namespace {

namespace fs = std::filesystem;

struct VerifyOptions {
  ExperimentOptions experiment;
  std::string what, tracker;
  std::int64_t epochs = 2, batches = 6, interruptions = 3;
  std::uint64_t seed = 0;  ///< 0: another one each time
  bool json = false;
};

class Verification {
 public:
  Verification(const VerifyOptions& options, OpenedExperiment opened)
      : options_(options), opened_(std::move(opened)), random_(options.seed) {
    opened_.experiment.tracker = folder_ / "bcx.db";
  }

  /// Exit code.
  int run();

 private:
  enum class End { finished, stopped, killed };
  End attempt(const std::string& name, std::optional<Interruption> plan);
  [[noreturn]] void be_the_child(const std::string& name, std::optional<Interruption> plan);
  std::optional<engine::ResumePoint> where_to_go_on(const std::string& name) const;
  void interrupted_run();
  std::int64_t steps_left() const;
  Interruption next_interruption(std::int64_t steps, bool kill);
  void tell(const Comparison& done) const;
  void tell_json(const Comparison& done) const;
  template <typename... Args>
  void say(fmt::format_string<Args...> text, Args&&... args) const {
    if (!options_.json) fmt::print(text, std::forward<Args>(args)...);
    std::fflush(stdout);
  }

  const VerifyOptions& options_;
  const TemporaryFolder folder_{"verify"};
  OpenedExperiment opened_;
  std::mt19937_64 random_;
  std::int64_t steps_ = 0;  // of the whole run
  std::vector<std::string> story_;
};

constexpr const char* whole = "verify-whole";
constexpr const char* parts = "verify-parts";

std::optional<engine::ResumePoint> Verification::where_to_go_on(const std::string& name) const {
  if (!fs::exists(opened_.experiment.tracker)) return std::nullopt;
  const tracker::Reader reader(opened_.experiment.tracker);
  const auto id = find_unfinished(reader, name, /*folds=*/false);
  if (!id) return std::nullopt;
  return resume_point(reader, reader.run(*id), /*force=*/false);
}

void Verification::be_the_child(const std::string& name, std::optional<Interruption> plan) {
  const int log = open((folder_ / "log").c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  dup2(log, STDOUT_FILENO);
  dup2(log, STDERR_FILENO);
  int code = static_cast<int>(ExitCode::other);
  try {
    auto request = request_for(opened_);
    request.may_fetch_weights = false;
    request.name = name;
    request.resume = where_to_go_on(name);
    Saboteur observer(plan);
    const auto outcome = load_engine().run(request, observer);
    code = static_cast<int>(outcome.stopped ? ExitCode::stopped : ExitCode::ok);
  } catch (const Error& error) {
    // The last thing in the log.
    fmt::print("{}", error.what());
    code = static_cast<int>(error.code());
  } catch (const std::exception& error) {
    fmt::print("{}", error.what());
  }
  std::fflush(stdout);
  _exit(code);
}

std::string last_line(const fs::path& file) {
  std::ifstream stream(file);
  std::string line, last;
  while (std::getline(stream, line))
    if (!trim(line).empty()) last = line;
  return printable(last);
}

Verification::End Verification::attempt(const std::string& name, std::optional<Interruption> plan) {
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child < 0) throw Error(ExitCode::other, "fork: " + system_message(errno));
  if (child == 0) be_the_child(name, plan);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR)
    if (stop_requested()) kill(child, SIGTERM);
  throw_if_stopped("verifying");
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL && plan && plan->kill) return End::killed;
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : static_cast<int>(ExitCode::other);
  if (code == static_cast<int>(ExitCode::ok)) return End::finished;
  if (code == static_cast<int>(ExitCode::stopped) && plan && !plan->kill) return End::stopped;
  throw Error(static_cast<ExitCode>(code),
              {"the short copy of the experiment failed: " + last_line(folder_ / "log"),
               printable(options_.what), "--epochs and --batches make the copy longer"});
}

/// The steps that the interrupted run still has before it.
std::int64_t Verification::steps_left() const {
  const tracker::Reader reader(opened_.experiment.tracker);
  const auto id = find_unfinished(reader, parts, /*folds=*/false);
  if (!id) return steps_;
  std::int64_t done = 0;
  for (const auto& checkpoint : reader.checkpoints(*id))
    if (checkpoint.kept) done = std::max(done, checkpoint.row.cursor.step);
  return steps_ - done;
}

Interruption Verification::next_interruption(std::int64_t steps, bool kill) {
  const auto up_to = [&](std::int64_t most) {
    return std::uniform_int_distribution<std::int64_t>(1, most)(random_);
  };
  Interruption plan;
  plan.kill = kill;
  plan.step = up_to(steps);
  plan.saved_at = up_to(plan.step);
  plan.microseconds = up_to(20'000);
  return plan;
}

void Verification::interrupted_run() {
  for (std::int64_t i = 0; i < options_.interruptions; ++i) {
    const auto left = steps_left();
    // After the very last step there is nothing to go on with.
    if (left < 2) break;
    const auto plan = next_interruption(left - 1, i % 2 == 0);
    const auto end = attempt(parts, plan);
    const auto step = steps_ - left + plan.step;
    if (end == End::finished) break;
    story_.push_back(
        end == End::killed
            ? fmt::format("killed {:.1f} ms after step {}, asked to save after step {}",
                          static_cast<double>(plan.microseconds) / 1000.0, step,
                          step - plan.step + plan.saved_at)
            : fmt::format("stopped after step {}", step));
    say("         {}\n", story_.back());
  }
  if (attempt(parts, std::nullopt) != End::finished)
    throw Error(ExitCode::other, "the interrupted copy did not end");
}

int Verification::run() {
  const SignalScope signals;
  say("verify   {}: {} epochs of at most {} batches, --seed {}\n", printable(options_.what),
      options_.epochs, options_.batches, options_.seed);
  attempt(whole, std::nullopt);
  {
    const tracker::Reader reader(opened_.experiment.tracker);
    steps_ =
        static_cast<std::int64_t>(reader.series(reader.find(whole).id, "train.step_loss").size());
  }
  say("whole    {} steps in one piece\nparts    the same, and\n", steps_);
  interrupted_run();
  const tracker::Reader reader(opened_.experiment.tracker);
  const auto done = compare_runs(reader, reader.find(whole).id, reader.find(parts).id);
  options_.json ? tell_json(done) : tell(done);
  return done.difference ? 1 : 0;
}

void Verification::tell(const Comparison& done) const {
  if (done.difference) {
    fmt::print("differs  {}\n", *done.difference);
    if (opened_.experiment.train.device != "cpu" && !opened_.experiment.train.deterministic)
      fmt::print("         on a GPU the same bits need train.deterministic = true\n");
    return;
  }
  fmt::print(
      "same     {} tensors of {} checkpoint{} ({}), {} values of {} metrics, {} predictions of {} "
      "evaluations\n"
      "A run of this experiment that is killed or stopped and resumed ends with the same bytes.\n",
      grouped(done.tensors), done.checkpoints, done.checkpoints == 1 ? "" : "s",
      human_bytes(done.bytes), grouped(done.values), done.series, grouped(done.predictions),
      done.evaluations);
}

void Verification::tell_json(const Comparison& done) const {
  fmt::print("{}\n", dump_line(nlohmann::json({{"exact", !done.difference},
                                               {"difference", done.difference.value_or("")},
                                               {"seed", options_.seed},
                                               {"steps", steps_},
                                               {"interruptions", story_},
                                               {"checkpoints", done.checkpoints},
                                               {"tensors", done.tensors},
                                               {"bytes", done.bytes},
                                               {"metrics", done.series},
                                               {"values", done.values},
                                               {"evaluations", done.evaluations},
                                               {"predictions", done.predictions}})));
}

/// A file, or a run's own experiment.
std::string experiment_file(const VerifyOptions& options) {
  if (fs::is_regular_file(options.what)) return options.what;
  const fs::path database =
      options.tracker.empty() ? tracker::default_database() : fs::path(options.tracker);
  const tracker::Reader reader(database);
  const auto run = reader.run(reader.find(options.what).id);
  return (reader.folder() / run.folder / "experiment.toml").string();
}

/// The schedule is the experiment's own, of which the copy sees the beginning: in units, and not
/// shorter than what its other keys ask for.
double horizon_for_copy(const config::Experiment& experiment, std::int64_t batches) {
  const auto& schedule = experiment.schedule;
  if (schedule.horizon > 0) return schedule.horizon;
  const auto epochs = static_cast<double>(experiment.train.epochs);
  if (schedule.unit == "epoch") return epochs;
  double steps = std::max(epochs * static_cast<double>(batches), 2.0 * schedule.warmup + 1.0);
  for (const auto milestone : schedule.milestones)
    steps = std::max(steps, static_cast<double>(milestone) + 1.0);
  return steps;
}

int verify(VerifyOptions options) {
  options.experiment.file = experiment_file(options);
  if (options.seed == 0) options.seed = std::random_device()() + std::uint64_t{1};
  auto& sets = options.experiment.sets;
  const auto own = open_experiment(options.experiment);
  sets.push_back(
      fmt::format("schedule.horizon={:.1f}", horizon_for_copy(own.experiment, options.batches)));
  sets.push_back(fmt::format("train.epochs={}", options.epochs));
  sets.push_back(fmt::format("train.limit_batches={}", options.batches));
  return Verification(options, open_experiment(options.experiment)).run();
}

}  // namespace

void add_verify(CLI::App& app, Action& action) {
  auto options = std::make_shared<VerifyOptions>();
  auto* command = app.add_subcommand(
      "verify", "Kill and resume a short copy of an experiment: does it end with the same bytes?");
  command->add_option("what", options->what, "An experiment file or a run")
      ->required()
      ->type_name("FILE|RUN");
  command->add_option("--epochs", options->epochs, "Of the copy")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  command->add_option("--batches", options->batches, "Of each epoch and evaluation, at most")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  command->add_option("--interruptions", options->interruptions, "Kills and stops, in turn")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  command->add_option("--seed", options->seed, "Of the random steps (default: another each time)");
  add_set_option(*command, options->experiment.sets, "Override one key (repeatable)");
  add_plugin_path_option(*command, options->experiment.plugin_paths);
  command->add_option("--tracker", options->tracker, "Where RUN is recorded");
  command->add_flag("--json", options->json, "The result as one JSON object");
  command->footer("Example: bcx verify experiments/densenet201.toml");
  command->callback([&action, options] { action = [options] { return verify(*options); }; });
}

}  // namespace bcx::cli
