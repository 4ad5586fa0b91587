// Signals that ask a run to stop or to save, as flags that long work looks at.
#pragma once

namespace bcx {

/// Installs the process's handlers for as long as it lives and restores the old ones after. One at
/// a time per process: the handlers are the process's, and so are the flags.
///
/// SIGINT, SIGTERM, SIGHUP (the terminal went away), SIGUSR2 and SIGXCPU (how batch systems warn of
/// a limit): stop_requested() turns true and work ends at the next step. A second SIGINT or SIGTERM
/// leaves at once with exit code 75; within half a second it counts as the same one, since `timeout`
/// and the like send theirs to the process and to its group. SIGUSR1: checkpoint_requested() turns
/// true once. SIGHUP and SIGINT stay ignored where they were (nohup, `&` in a script). SIGPIPE and
/// SIGXFSZ are ignored: writing then fails with a reason.
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

/// Those of standard input, output and error that were terminals when the SignalScope began and are
/// none any more go to /dev/null from now on, so that writing to them does not fail. Called when
/// SIGHUP comes; call it when writing to a terminal failed.
void forget_lost_terminal() noexcept;

}  // namespace bcx
