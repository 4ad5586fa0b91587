// Child processes of this library: Python, which fetches and converts.
#pragma once

#include <filesystem>
#include <span>
#include <string>

namespace bcx::weights {

/// Runs a program (found in PATH) without a shell and waits for it. Standard input is empty. Its
/// output goes to this process's standard error when `log` is empty (progress bars), otherwise into
/// the file `log`. Gives its exit status, 128 + n when signal n ended it, or 127 when it could not
/// be started. Throws bcx::Error (stopped) when a stop was requested meanwhile.
int run_process(std::span<const std::string> arguments, const std::filesystem::path& log);

/// The last line of a log that says something (a Python program's error), printable; "" if there is
/// none.
std::string last_line(const std::filesystem::path& log);

/// The script NAME of <prefix>/libexec/bcx, beside the running executable or this library. Throws
/// bcx::Error (other) when the installation lacks it.
std::filesystem::path script(const std::string& name);

}  // namespace bcx::weights
