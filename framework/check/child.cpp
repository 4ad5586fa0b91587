#include "check/child.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <thread>

#include "base/error.h"
#include "base/text.h"
#include "base/timing.h"

namespace bcx::check {
namespace {

using Clock = std::chrono::steady_clock;

/// Memory that both processes see, as a file without a name.
class Scratch {
 public:
  explicit Scratch(const char* name) : descriptor_(memfd_create(name, MFD_CLOEXEC)) {
    if (descriptor_ < 0)
      throw Error(ExitCode::other, fmt::format("memfd_create: {}", system_message(errno)));
  }
  ~Scratch() { close(descriptor_); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  int descriptor() const { return descriptor_; }

  void write(std::string_view text) const {
    while (!text.empty()) {
      const auto written = ::write(descriptor_, text.data(), text.size());
      if (written <= 0) return;
      text.remove_prefix(static_cast<std::size_t>(written));
    }
  }

  /// The last 64 kB: no child fills the parent's memory.
  std::string read() const {
    constexpr off_t limit = 64 * 1024;
    const off_t end = lseek(descriptor_, 0, SEEK_END), begin = std::max<off_t>(end - limit, 0);
    std::string text(static_cast<std::size_t>(std::max<off_t>(end - begin, 0)), '\0');
    const auto got = pread(descriptor_, text.data(), text.size(), begin);
    text.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    return text;
  }

 private:
  int descriptor_;
};

// What the child says: a letter, the text, a zero byte, the remedy.
std::string verdict(const Body& body) {
  const auto told = [](char letter, const std::string& text, const std::string& remedy = {}) {
    return letter + text + '\0' + remedy;
  };
  try {
    return told('+', body());
  } catch (const Error& error) {
    const auto& parts = error.parts();
    return told('-', parts.where.empty() ? parts.what : parts.where + ": " + parts.what,
                parts.remedy);
  } catch (const std::exception& error) {
    // LibTorch's own errors go on with a C++ backtrace.
    return told('-', "threw: " + split(error.what(), '\n').front());
  } catch (...) {
    return told('-', "threw something that is no std::exception");
  }
}

[[noreturn]] void be_the_child(const Body& body, Ending ending, const Scratch& said,
                               const Scratch& errors) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (const int number : {SIGINT, SIGTERM, SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT})
    std::signal(number, SIG_DFL);
  const int nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);
  dup2(nowhere, STDIN_FILENO);
  dup2(nowhere, STDOUT_FILENO);
  dup2(errors.descriptor(), STDERR_FILENO);
  said.write(verdict(body));
  if (ending == Ending::normal) std::exit(0);
  _exit(0);
}

/// The child's status, or nothing when the time was over and it had to be killed.
std::optional<int> wait_for(pid_t child, double seconds) {
  const auto end = Clock::now() + std::chrono::duration<double>(seconds);
  int status = 0;
  for (auto pause = std::chrono::microseconds(200);;) {
    const pid_t ended = waitpid(child, &status, WNOHANG);
    if (ended == child) return status;
    if (ended < 0 && errno != EINTR)
      throw Error(ExitCode::other, fmt::format("waitpid: {}", system_message(errno)));
    if (Clock::now() > end) break;
    std::this_thread::sleep_for(pause);
    pause = std::min(pause * 2, std::chrono::microseconds(20'000));
  }
  kill(child, SIGKILL);
  waitpid(child, &status, 0);
  return std::nullopt;
}

/// ` (terminate called after ...)`: the last line on standard error, which often says why.
std::string last_words(const Scratch& errors) {
  const std::string text = errors.read();
  const auto lines = split(trim(text), '\n');
  return lines.back().empty() ? "" : fmt::format(" ({})", clip(printable(lines.back()), 200));
}

void tell_ending(Result& result, int status, bool spoke, const Scratch& errors) {
  const char* when = spoke ? "at the process's normal end: " : "";
  result.status = Status::failed;
  result.remedy.clear();
  if (WIFSIGNALED(status))
    result.text = fmt::format("{}ended by signal {}, {}{}", when, WTERMSIG(status),
                              lower(strsignal(WTERMSIG(status))), last_words(errors));
  else
    result.text = fmt::format("{}ended the process with exit code {}{}", when, WEXITSTATUS(status),
                              last_words(errors));
}

}  // namespace

Result in_child(std::string component, std::string name, double time_limit, const Body& body,
                Ending ending) {
  Result result{std::move(component), std::move(name)};
  const Scratch said("bcx-check"), errors("bcx-check-errors");
  const auto start = Clock::now();
  const pid_t child = fork();
  if (child < 0) throw Error(ExitCode::other, fmt::format("fork: {}", system_message(errno)));
  if (child == 0) be_the_child(body, ending, said, errors);
  const auto status = wait_for(child, time_limit);
  result.seconds = seconds_since(start);
  const std::string text = said.read();
  if (!status) {
    result.status = Status::failed;
    result.text = fmt::format("was not done after {} and was stopped", human_duration(time_limit));
    result.remedy = "--time-limit allows more";
  } else if (text.empty() || *status != 0) {
    tell_ending(result, *status, !text.empty(), errors);
  } else {
    const auto end = text.find('\0');
    result.status = text[0] == '+' ? Status::passed : Status::failed;
    result.text = printable(text.substr(1, end - 1));
    result.remedy = printable(text.substr(end + 1));
  }
  return result;
}

}  // namespace bcx::check
