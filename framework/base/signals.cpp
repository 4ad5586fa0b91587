#include "base/signals.h"

#include <fmt/format.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdint>

#include "base/error.h"

namespace bcx {
namespace {

std::atomic<int> stop{0};
std::atomic<std::int64_t> first_stop{0};  // milliseconds, of the monotonic clock
std::atomic<bool> checkpoint{false};
static_assert(std::atomic<int>::is_always_lock_free &&
                  std::atomic<std::int64_t>::is_always_lock_free,
              "used inside a signal handler");

std::int64_t milliseconds() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * std::int64_t{1000} + now.tv_nsec / 1'000'000;
}

/// A terminal, a batch system or a parent that passes signals on may each send the same wish.
void on_stop(int number) {
  constexpr std::int64_t same_wish = 500;
  const auto now = milliseconds();
  if (stop.exchange(number) == 0)
    first_stop.store(now);
  else if (now - first_stop.load() >= same_wish)
    _exit(static_cast<int>(ExitCode::stopped));
}

void on_checkpoint(int) {
  checkpoint.store(true);
}

constexpr std::array handled{SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGPIPE};
std::array<struct sigaction, handled.size()> previous;

}  // namespace

SignalScope::SignalScope() {
  stop = 0;
  first_stop = 0;
  checkpoint = false;
  for (std::size_t i = 0; i < handled.size(); ++i) {
    struct sigaction action {};
    sigemptyset(&action.sa_mask);
    action.sa_flags = SA_RESTART;
    action.sa_handler = handled[i] == SIGPIPE   ? SIG_IGN
                        : handled[i] == SIGUSR1 ? on_checkpoint
                                                : on_stop;
    sigaction(handled[i], &action, &previous[i]);
  }
}

SignalScope::~SignalScope() {
  for (std::size_t i = 0; i < handled.size(); ++i) sigaction(handled[i], &previous[i], nullptr);
}

bool stop_requested() noexcept {
  return stop.load(std::memory_order_relaxed) != 0;
}
int stop_signal() noexcept {
  return stop.load();
}
bool checkpoint_requested() noexcept {
  return checkpoint.exchange(false);
}

void throw_if_stopped(const char* phase) {
  if (stop_requested())
    throw Error(ExitCode::stopped,
                fmt::format("stopped by signal {} while {}", stop_signal(), phase));
}

}  // namespace bcx
