#include "sweep_worker.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <sstream>

#include "base/error.h"
#include "base/text.h"
#include "resume_point.h"

extern char** environ;

namespace bcx::cli {
namespace {

namespace fs = std::filesystem;

constexpr int not_started = 127;

/// `name value` in a file of counters; 0 where there is none.
std::int64_t counter(const fs::path& file, std::string_view name) {
  std::ifstream lines(file);
  std::string word;
  for (std::int64_t value = 0; lines >> word >> value;)
    if (word == name) return value;
  return 0;
}

/// The memory control group's file of counters: version 2, else 1.
std::int64_t group_kills() {
  std::ifstream groups("/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    const auto parts = split(line, ':');
    if (parts.size() < 3) continue;
    const auto path = parts[2].substr(std::min<std::size_t>(parts[2].size(), 1));
    if (parts[1].empty())
      if (const auto kills =
              counter(fs::path("/sys/fs/cgroup") / path / "memory.events", "oom_kill"))
        return kills;
    if (parts[1] == "memory")
      if (const auto kills =
              counter(fs::path("/sys/fs/cgroup/memory") / path / "memory.oom_control", "oom_kill"))
        return kills;
  }
  return 0;
}

/// This process's environment with some variables set.
std::vector<std::string> environment(const SweepWorker::Settings& settings) {
  std::vector<std::pair<std::string, std::string>> ours{
      {"OMP_NUM_THREADS", std::to_string(settings.threads)}};
  // Threads that spin while they wait take the cores of the other trials.
  if (!getenv("OMP_WAIT_POLICY")) ours.emplace_back("OMP_WAIT_POLICY", "passive");
  if (!settings.visible_device.empty())
    ours.emplace_back("CUDA_VISIBLE_DEVICES", settings.visible_device);
  std::vector<std::string> all;
  for (char** one = environ; *one; ++one) {
    const std::string_view text(*one);
    const auto is_ours = [&](const auto& pair) { return text.starts_with(pair.first + "="); };
    if (std::none_of(ours.begin(), ours.end(), is_ours)) all.emplace_back(text);
  }
  for (const auto& [name, value] : ours) all.push_back(name + "=" + value);
  return all;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> list;
  for (auto& text : texts) list.push_back(text.data());
  list.push_back(nullptr);
  return list;
}

/// After fork(): only what is safe there.
[[noreturn]] void become(char* const* arguments, char* const* environment, int log, int lock,
                         pid_t parent) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != parent) _exit(static_cast<int>(ExitCode::stopped));
  // A signal that comes from here on ends the child: this process's handler would swallow it.
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGXCPU, SIGXFSZ, SIGPIPE})
    signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  const int nothing = open("/dev/null", O_RDONLY);
  dup2(nothing, STDIN_FILENO);
  dup2(log, STDOUT_FILENO);
  dup2(log, STDERR_FILENO);
  fcntl(lock, F_SETFD, 0);
  execve(arguments[0], arguments, environment);
  _exit(not_started);
}

std::string name_of(const sweep::Ledger& ledger, const sweep::Trial& trial) {
  return fmt::format("{}-{}", ledger.sweep().name, trial.number());
}

}  // namespace

std::int64_t memory_kills() {
  return counter("/proc/vmstat", "oom_kill") + group_kills();
}

std::vector<std::string> trial_command(const sweep::Ledger& ledger, const sweep::Trial& trial,
                                       const std::string& program, const std::string& device) {
  const auto& plan = ledger.plan();
  std::vector<std::string> command{program};
  const auto add = [&](std::initializer_list<std::string> more) {
    command.insert(command.end(), more);
  };
  const auto set = [&](const std::string& key, const std::string& value) {
    add({"--set", key + "=" + value});
  };
  const bool goes_on = !trial.row.run.empty() &&
                       !kept_checkpoints(tracker::Reader(ledger.database()), trial.row.run).empty();
  if (goes_on) {
    add({"resume", trial.row.run});
    if (trial.extended()) set("train.epochs", config::to_toml(trial.set.at("train.epochs")));
  } else {
    add({"run", (ledger.folder() / "experiment.toml").string(), "--name", name_of(ledger, trial)});
    if (!trial.confirms()) set("evaluate.test", "false");
    if (plan.threads > 0) set("train.threads", std::to_string(plan.threads));
    for (const auto& [key, value] : trial.set) set(key, config::to_toml(value));
    if (trial.micro_batches > 1) {
      const auto number = [&](const char* key, std::int64_t otherwise) {
        const auto found = trial.set.find(key);
        return found == trial.set.end() ? otherwise : std::get<std::int64_t>(found->second);
      };
      set("train.batch_size",
          std::to_string(number("train.batch_size", plan.batch_size) / trial.micro_batches));
      set("train.accumulate",
          std::to_string(number("train.accumulate", plan.accumulate) * trial.micro_batches));
      add({"--micro-batches", std::to_string(trial.micro_batches)});
    }
  }
  add({"--tracker", ledger.database().string(), "--trial",
       fmt::format("{}:{}", ledger.sweep().id, trial.number())});
  if (!device.empty()) add({"--device", device});
  for (const auto& path : plan.plugin_paths) add({"--plugin-path", path});
  return command;
}

SweepWorker::SweepWorker(const sweep::Ledger& ledger, sweep::Claim claim, const Settings& settings)
    : claim_(std::move(claim)),
      program_(settings.program),
      log_(ledger.folder() / fmt::format("trial-{}.log", claim_.trial.number())),
      kills_before_(memory_kills()) {
  auto arguments = trial_command(ledger, claim_.trial, settings.program, settings.device);
  auto variables = environment(settings);
  const auto argument_list = pointers(arguments), variable_list = pointers(variables);
  const int log = open(log_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (log < 0)
    throw Error(ExitCode::storage, {"cannot be written: " + system_message(errno),
                                    printable(log_.string()), "see the folder's permissions"});
  log_begin_ = fs::file_size(log_);
  const pid_t self = getpid();
  sigset_t all, before;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, &before);
  process_ = fork();
  if (process_ == 0)
    become(argument_list.data(), variable_list.data(), log, claim_.lock.descriptor(), self);
  const int failed = errno;
  sigprocmask(SIG_SETMASK, &before, nullptr);
  close(log);
  if (process_ < 0)
    throw Error(ExitCode::other, "a trial's process cannot be started: " + system_message(failed));
}

SweepWorker::SweepWorker(SweepWorker&& other) noexcept
    : claim_(std::move(other.claim_)),
      program_(std::move(other.program_)),
      log_(std::move(other.log_)),
      log_begin_(other.log_begin_),
      kills_before_(other.kills_before_),
      process_(std::exchange(other.process_, -1)) {}

SweepWorker::~SweepWorker() {
  if (process_ <= 0) return;
  stop();  // an error ends the controller: let it save
  while (waitpid(process_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

void SweepWorker::stop() const {
  if (process_ > 0) kill(process_, SIGTERM);
}

std::optional<sweep::Ended> SweepWorker::ended() {
  int status = 0;
  if (process_ <= 0 || waitpid(process_, &status, WNOHANG) != process_) return std::nullopt;
  process_ = -1;
  return ended_with(status);
}

sweep::Ended SweepWorker::ended_with(int status) const {
  sweep::Ended ended;
  ended.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  if (ended.code == not_started)  // no trial's fault, and every other would end likewise
    throw Error(ExitCode::other, {"a trial's process cannot be started", printable(program_),
                                  "is the program there, and executable?"});
  std::ifstream log(log_);
  log.seekg(static_cast<std::streamoff>(log_begin_));
  for (std::string line; std::getline(log, line);) {
    constexpr std::string_view error = "error: ";
    if (line.starts_with(error)) ended.message = printable(line.substr(error.size()));
  }
  if (ended.code == 128 + SIGKILL)
    ended.out_of_memory = memory_kills() > kills_before_;
  else if (ended.code != 0)
    ended.out_of_memory = ended.message.find("out of memory") != std::string::npos ||
                          ended.message.find("bad_alloc") != std::string::npos;
  return ended;
}

}  // namespace bcx::cli
