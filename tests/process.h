// Real processes in tests: run a command, see what it said, send it a signal on the way.
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace bcx::test {

struct Outcome {
  int code = -1;    ///< exit code; 128 + n when ended by signal n
  std::string out;  ///< standard output
  std::string err;  ///< standard error
};

inline std::string slurp(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

/// A child process whose output goes to files in `folder`; standard input is empty.
class Process {
 public:
  Process(std::vector<std::string> arguments, const std::filesystem::path& folder,
          const std::filesystem::path& working_directory = ".")
      : out_(unique(folder, "out")), err_(unique(folder, "err")) {
    child_ = fork();
    if (child_ != 0) return;
    redirect("/dev/null", O_RDONLY, STDIN_FILENO);
    redirect(out_, O_WRONLY | O_CREAT | O_TRUNC, STDOUT_FILENO);
    redirect(err_, O_WRONLY | O_CREAT | O_TRUNC, STDERR_FILENO);
    std::vector<char*> argv;
    for (auto& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    if (chdir(working_directory.c_str()) != 0) _exit(126);
    execv(argv[0], argv.data());
    _exit(127);
  }
  ~Process() {
    if (child_ > 0) {
      ::kill(child_, SIGKILL);
      waitpid(child_, nullptr, 0);
    }
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  void signal(int number) const { ::kill(child_, number); }
  pid_t id() const { return child_; }
  std::string out() const { return slurp(out_); }
  std::string err() const { return slurp(err_); }

  /// Waits until standard error holds `text`; false when the process ends or a minute passes
  /// before.
  bool says(const std::string& text, double seconds = 120) const {
    const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
    while (std::chrono::steady_clock::now() < end) {
      if (err().find(text) != std::string::npos) return true;
      siginfo_t info{};
      waitid(P_PID, static_cast<id_t>(child_), &info, WEXITED | WNOHANG | WNOWAIT);
      if (info.si_pid == child_) return err().find(text) != std::string::npos;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return false;
  }

  /// Whether the process ends before that time is over; wait() then returns at once.
  bool ends_within(std::chrono::milliseconds time) const {
    const auto end = std::chrono::steady_clock::now() + time;
    do {
      siginfo_t info{};
      waitid(P_PID, static_cast<id_t>(child_), &info, WEXITED | WNOHANG | WNOWAIT);
      if (info.si_pid == child_) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    } while (std::chrono::steady_clock::now() < end);
    return false;
  }

  Outcome wait() {
    int status = 0;
    waitpid(child_, &status, 0);
    child_ = -1;
    return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), slurp(out_),
            slurp(err_)};
  }

 private:
  static std::filesystem::path unique(const std::filesystem::path& folder, const char* what) {
    static int number = 0;
    return folder / (std::to_string(getpid()) + "-" + std::to_string(++number) + "." + what);
  }
  static void redirect(const std::filesystem::path& path, int flags, int target) {
    const int descriptor = open(path.c_str(), flags, 0644);
    dup2(descriptor, target);
    close(descriptor);
  }

  std::filesystem::path out_, err_;
  pid_t child_ = -1;
};

inline Outcome run_process(std::vector<std::string> arguments, const std::filesystem::path& folder,
                           const std::filesystem::path& working_directory = ".") {
  return Process(std::move(arguments), folder, working_directory).wait();
}

}  // namespace bcx::test
