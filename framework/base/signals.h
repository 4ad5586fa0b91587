// SIGINT and SIGTERM as a flag that long work looks at; SIGUSR1 as a wish for a checkpoint.
#pragma once

namespace bcx {

/// Installs the process's handlers for as long as it lives and restores the old ones after. One at
/// a time per process: the handlers are the process's, and so are the flags.
///
/// First SIGINT or SIGTERM: stop_requested() turns true and work ends at the next step. A second one
/// half a second later leaves at once with exit code 75. SIGUSR1: checkpoint_requested() turns true once. SIGHUP is
/// taken like SIGTERM; SIGPIPE is ignored.
class SignalScope {
 public:
  SignalScope();
  ~SignalScope();
  SignalScope(const SignalScope&) = delete;
  SignalScope& operator=(const SignalScope&) = delete;
};

/// True from the first stop signal on. Cheap (one relaxed atomic load); any thread.
bool stop_requested() noexcept;
/// The stop signal's number, 0 when none came.
int stop_signal() noexcept;
/// True once for each batch of SIGUSR1 that came since the last call.
bool checkpoint_requested() noexcept;

/// Throws bcx::Error (stopped) when a stop was requested: for long phases without state to save.
void throw_if_stopped(const char* phase);

}  // namespace bcx
