#include "verify_saboteur.h"

#include <fmt/format.h>
#include <time.h>

#include <csignal>

namespace bcx::cli {
namespace {

void kill_in(std::int64_t microseconds) {
  sigevent event{};
  event.sigev_notify = SIGEV_SIGNAL;
  event.sigev_signo = SIGKILL;
  timer_t timer{};
  itimerspec when{};
  when.it_value.tv_sec = microseconds / 1'000'000;
  when.it_value.tv_nsec = microseconds % 1'000'000 * 1000 + 1;
  if (timer_create(CLOCK_MONOTONIC, &event, &timer) != 0 ||
      timer_settime(timer, 0, &when, nullptr) != 0)
    std::raise(SIGKILL);
}

}  // namespace

void Saboteur::progress(const train::Progress& progress) {
  if (progress.phase != "train" || !plan_) return;
  ++steps_;
  if (plan_->kill && steps_ == plan_->saved_at) std::raise(SIGUSR1);
  if (steps_ != plan_->step) return;
  if (plan_->kill)
    kill_in(plan_->microseconds);
  else
    std::raise(SIGTERM);
}

void Saboteur::message(train::Tone, std::string_view text) {
  fmt::print("{}\n", text);
}

}  // namespace bcx::cli
