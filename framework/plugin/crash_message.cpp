#include "plugin/crash_message.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>

#include "plugin/call_site.h"

namespace bcx::plugin {
namespace {

// Initial-exec: a signal handler must not allocate.
[[gnu::tls_model("initial-exec")]] thread_local const InsidePlugin* innermost = nullptr;
std::atomic<const InsidePlugin*> of_main{nullptr};

bool is_main_thread() {
  static thread_local const bool main = gettid() == getpid();
  return main;
}

/// One line put together without allocating; what does not fit is cut.
class Line {
 public:
  Line& operator<<(std::string_view text) {
    for (const char c : text.substr(0, text_.size() - 1 - size_))
      // As printable() has it, roughly: no terminal is steered from here.
      text_[size_++] = static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
    return *this;
  }
  void write() {
    text_[size_++] = '\n';
    [[maybe_unused]] const auto ignored = ::write(STDERR_FILENO, text_.data(), size_);
  }

 private:
  std::array<char, 2048> text_{};
  std::size_t size_ = 0;
};

std::string_view words_for(int number) {
  switch (number) {
    case SIGSEGV:
      return "segmentation fault";
    case SIGBUS:
      return "bus error";
    case SIGILL:
      return "illegal instruction";
    case SIGFPE:
      return "arithmetic error";
    default:
      return "abort";
  }
}

constexpr std::array crashes{SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};

}  // namespace

InsidePlugin::InsidePlugin(const CallSite& site, std::string_view doing) noexcept
    : site_(site), doing_(doing), outer_(innermost) {
  innermost = this;
  if (is_main_thread()) of_main.store(this, std::memory_order_relaxed);
}

InsidePlugin::~InsidePlugin() {
  innermost = outer_;
  if (is_main_thread()) of_main.store(outer_, std::memory_order_relaxed);
}

void tell_crash(int number) noexcept {
  const auto* inside = innermost ? innermost : of_main.load(std::memory_order_relaxed);
  if (inside) {
    const auto& site = inside->site_;
    (Line() << "error: crashed (" << words_for(number) << ") in " << config::name_of(site.kind)
            << " \"" << site.component << "\" " << site.version << " (" << site.file << "), while "
            << inside->doing_ << "; `bcx plugins check " << site.file << "` looks into it")
        .write();
  }
  raise(number);  // SA_RESETHAND: as if nobody had caught it
}

void name_plugins_in_crashes() {
  // An overflowing stack leaves none for the handler.
  static std::array<std::byte, 64 * 1024> stack;
  stack_t own{};
  own.ss_sp = stack.data();
  own.ss_size = stack.size();
  sigaltstack(&own, nullptr);
  for (const int number : crashes) {
    struct sigaction before {};
    if (sigaction(number, nullptr, &before) != 0 || before.sa_handler != SIG_DFL) continue;
    struct sigaction action {};
    sigemptyset(&action.sa_mask);
    action.sa_flags = static_cast<int>(SA_RESETHAND | SA_NODEFER | SA_ONSTACK);
    action.sa_handler = tell_crash;
    sigaction(number, &action, nullptr);
  }
}

}  // namespace bcx::plugin
