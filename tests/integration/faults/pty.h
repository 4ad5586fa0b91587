// A process on a terminal of its own, which can be taken away.
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

namespace bcx::test {

class TerminalProcess {
 public:
  TerminalProcess(std::vector<std::string> arguments, const std::filesystem::path& folder,
                  bool ignores_hangup = false) {
    child_ = forkpty(&terminal_, nullptr, nullptr, nullptr);
    if (child_ != 0) return;
    if (ignores_hangup) ::signal(SIGHUP, SIG_IGN);
    std::vector<char*> argv;
    for (auto& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    if (chdir(folder.c_str()) != 0) _exit(126);
    execv(argv[0], argv.data());
    _exit(127);
  }
  ~TerminalProcess() {
    hang_up();
    if (child_ > 0) {
      ::kill(child_, SIGKILL);
      waitpid(child_, nullptr, 0);
    }
  }
  TerminalProcess(const TerminalProcess&) = delete;
  TerminalProcess& operator=(const TerminalProcess&) = delete;

  void signal(int number) const { ::kill(child_, number); }
  void type(const char* keys) const {
    [[maybe_unused]] const auto ignored =
        write(terminal_, keys, std::char_traits<char>::length(keys));
  }
  /// The terminal goes away: SIGHUP, and writing fails from then on.
  void hang_up() {
    if (terminal_ >= 0) close(terminal_);
    terminal_ = -1;
  }

  /// Reads until `text` was shown; false when the process ends or two minutes pass before.
  bool says(const std::string& text) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(2);
    const auto from = said_.size() < text.size() ? 0 : said_.size() - text.size();
    while (said_.find(text, from) == std::string::npos) {
      if (std::chrono::steady_clock::now() > end || !read_some()) return false;
    }
    return true;
  }
  const std::string& said() const { return said_; }

  /// Exit code; 128 + n when ended by signal n. Reads what comes meanwhile.
  int wait() {
    while (terminal_ >= 0 && read_some()) {
    }
    int status = 0;
    waitpid(child_, &status, 0);
    child_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

 private:
  bool read_some() {
    pollfd ready{terminal_, POLLIN, 0};
    if (poll(&ready, 1, 1000) == 0) return true;
    char buffer[4096];
    const auto got = read(terminal_, buffer, sizeof buffer);
    if (got <= 0) return false;
    said_.append(buffer, static_cast<std::size_t>(got));
    return true;
  }

  int terminal_ = -1;
  pid_t child_ = -1;
  std::string said_;
};

}  // namespace bcx::test
