#include "base/signals.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>

#include "base/error.h"

namespace bcx {
namespace {

constexpr std::int64_t same_signal = 500'000'000;  // nanoseconds

std::atomic<int> stop{0};
std::atomic<std::int64_t> asked_at{0};  // by SIGINT or SIGTERM; nanoseconds, 0: not yet
std::atomic<bool> checkpoint{false};
std::atomic<bool> was_terminal[3];
static_assert(std::atomic<int>::is_always_lock_free &&
                  std::atomic<std::int64_t>::is_always_lock_free,
              "used inside a signal handler");

std::int64_t now() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

void on_stop(int number) {
  const int code = errno;
  int none = 0;
  stop.compare_exchange_strong(none, number);
  if (number == SIGHUP) forget_lost_terminal();
  if (number == SIGINT || number == SIGTERM) {
    std::int64_t first = 0;
    const auto time = now();
    if (!asked_at.compare_exchange_strong(first, time) && time - first > same_signal)
      _exit(static_cast<int>(ExitCode::stopped));
  }
  errno = code;
}

void on_checkpoint(int) {
  checkpoint.store(true);
}

struct Handled {
  int number;
  void (*handler)(int);
  bool stays_ignored = false;
};
const std::array<Handled, 8> handled{{{SIGINT, on_stop, true},
                                      {SIGTERM, on_stop},
                                      {SIGHUP, on_stop, true},
                                      {SIGUSR2, on_stop},
                                      {SIGXCPU, on_stop},
                                      {SIGUSR1, on_checkpoint},
                                      {SIGPIPE, SIG_IGN},
                                      {SIGXFSZ, SIG_IGN}}};
std::array<struct sigaction, handled.size()> previous;

}  // namespace

SignalScope::SignalScope() {
  stop = 0;
  asked_at = 0;
  checkpoint = false;
  for (const int descriptor : {0, 1, 2}) was_terminal[descriptor] = isatty(descriptor) != 0;
  for (std::size_t i = 0; i < handled.size(); ++i) {
    sigaction(handled[i].number, nullptr, &previous[i]);
    if (handled[i].stays_ignored && previous[i].sa_handler == SIG_IGN) continue;
    struct sigaction action {};
    sigemptyset(&action.sa_mask);
    action.sa_flags = SA_RESTART;
    action.sa_handler = handled[i].handler;
    sigaction(handled[i].number, &action, nullptr);
  }
}

SignalScope::~SignalScope() {
  for (std::size_t i = 0; i < handled.size(); ++i)
    sigaction(handled[i].number, &previous[i], nullptr);
}

bool stop_requested() noexcept { return stop.load(std::memory_order_relaxed) != 0; }
int stop_signal() noexcept { return stop.load(); }
bool checkpoint_requested() noexcept { return checkpoint.exchange(false); }

void throw_if_stopped(const char* phase) {
  if (stop_requested())
    throw Error(ExitCode::stopped, fmt::format("stopped by signal {} while {}", stop_signal(), phase));
}

void forget_lost_terminal() noexcept {
  for (const int descriptor : {0, 1, 2}) {
    // What hung up is no terminal any more.
    if (!was_terminal[descriptor] || isatty(descriptor) != 0) continue;
    const int nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (nowhere < 0) return;
    dup2(nowhere, descriptor);
    close(nowhere);
    was_terminal[descriptor] = false;
  }
}

}  // namespace bcx
