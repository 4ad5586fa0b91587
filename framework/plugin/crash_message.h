// A crash inside a plugin names the plugin before the process ends.
#pragma once

#include <string_view>

namespace bcx::plugin {

struct CallSite;

/// Which plugin's code this thread is in, for as long as it lives. Costs two stores.
class InsidePlugin {
 public:
  InsidePlugin(const CallSite& site, std::string_view doing) noexcept;
  ~InsidePlugin();
  InsidePlugin(const InsidePlugin&) = delete;
  InsidePlugin& operator=(const InsidePlugin&) = delete;

 private:
  friend void tell_crash(int) noexcept;
  const CallSite& site_;
  std::string_view doing_;
  const InsidePlugin* outer_;
};

/// From now on SIGSEGV, SIGBUS, SIGILL, SIGFPE and SIGABRT first write to standard error which
/// plugin's code was running, on the thread itself or else on the main thread, whose work the
/// threads of LibTorch do. Then the signal does what it always does. Where somebody else handles a
/// signal (a sanitizer), it stays theirs. Call it once, on the main thread.
void name_plugins_in_crashes();

}  // namespace bcx::plugin
