// `bcx plugins check`: everything about a plugin file that can be found out without an experiment.
//
// What each check finds stands with its name in docs/writing-a-plugin.md.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace bcx::check {

enum class Status { passed, failed, skipped };

/// One line of the report.
struct Result {
  std::string component;  ///< `backbone "densenet201"`; `file` and `manifest` for the file itself
  std::string name;       ///< "shapes"
  Status status = Status::passed;
  std::string text{};    ///< what was found: good or bad, one sentence without a full stop
  std::string remedy{};  ///< what to do; empty when that is plain
  double seconds = 0;
};

struct Options {
  double time_limit = 60;  ///< seconds for each check; it is stopped after that, and failed
};

using Listener = std::function<void(const Result&)>;

/// Runs all checks of a file, each that executes the plugin's code in a child process of its own: a
/// plugin that crashes, hangs or ends the process costs one line of the report. The calling process
/// must have one thread. Gives the results in their order and, as each is known, to `listener`.
class Checker {
 public:
  virtual ~Checker() = default;
  virtual std::vector<Result> check(const std::filesystem::path& file, const Options& options,
                                    const Listener& listener) const = 0;
};

}  // namespace bcx::check

/// The symbol that libbcx_check.so exports. Lives as long as the process.
extern "C" const bcx::check::Checker* bcx_checker();
