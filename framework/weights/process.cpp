#include "weights/process.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <vector>

#include "base/error.h"
#include "base/paths.h"
#include "base/signals.h"
#include "base/text.h"

extern char** environ;

namespace bcx::weights {
namespace {

/// posix_spawn's two attribute objects, with their lifetimes.
struct SpawnSettings {
  SpawnSettings() {
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
  }
  ~SpawnSettings() {
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;

  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
};

void direct_streams(SpawnSettings& settings, const std::filesystem::path& log) {
  posix_spawn_file_actions_addopen(&settings.actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  if (!log.empty())
    posix_spawn_file_actions_addopen(&settings.actions, STDERR_FILENO, log.c_str(),
                                     O_WRONLY | O_CREAT | O_TRUNC, 0600);
  // Results of bcx go to standard output; a child's never do.
  posix_spawn_file_actions_adddup2(&settings.actions, STDERR_FILENO, STDOUT_FILENO);
}

/// An ignored SIGPIPE (SignalScope) would be inherited, and pip would not end when its reader does.
void reset_signals(SpawnSettings& settings) {
  sigset_t reset;
  sigemptyset(&reset);
  sigaddset(&reset, SIGPIPE);
  posix_spawnattr_setsigdefault(&settings.attributes, &reset);
  posix_spawnattr_setflags(&settings.attributes, POSIX_SPAWN_SETSIGDEF);
}

int wait_for(pid_t child) {
  int status = 0;
  while (waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) return 127;
    // A stop that came to this process alone is passed on, so that the wait ends.
    if (stop_requested()) kill(child, SIGTERM);
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

std::filesystem::path library_folder() {
  Dl_info info{};
  if (dladdr(reinterpret_cast<const void*>(&library_folder), &info) == 0 || !info.dli_fname)
    return {};
  std::error_code failed;
  return std::filesystem::canonical(info.dli_fname, failed).parent_path();
}

}  // namespace

int run_process(std::span<const std::string> arguments, const std::filesystem::path& log) {
  std::vector<char*> argv;
  for (const auto& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  SpawnSettings settings;
  direct_streams(settings, log);
  reset_signals(settings);
  pid_t child = 0;
  if (posix_spawnp(&child, argv[0], &settings.actions, &settings.attributes, argv.data(),
                   environ) != 0)
    return 127;
  const int status = wait_for(child);
  throw_if_stopped("fetching weights");
  return status;
}

std::filesystem::path script(const std::string& name) {
  for (const auto& folder : {executable_path().parent_path(), library_folder()}) {
    const auto path = folder.parent_path() / "libexec" / "bcx" / name;
    std::error_code failed;
    if (std::filesystem::is_regular_file(path, failed)) return path;
  }
  throw Error(
      ExitCode::other,
      {fmt::format("this installation of bcx lacks its script \"{}\"", name),
       printable((executable_path().parent_path().parent_path() / "libexec" / "bcx").string()),
       "install bcx again"});
}

std::string last_line(const std::filesystem::path& log) {
  std::ifstream file(log);
  std::string line, last;
  while (std::getline(file, line))
    if (!trim(line).empty()) last = trim(line);
  return printable(last);
}

}  // namespace bcx::weights
