// The one error type of bcx.
//
// An error that a user can cause says four things: what is wrong, where, what was expected beside
// what was found, and what to do about it. Tests pin these texts word for word.
#pragma once

#include <exception>
#include <string>
#include <vector>

namespace bcx {

/// Process exit codes, as documented for scripts (docs/user-guide.md).
enum class ExitCode : int {
  ok = 0,
  other = 1,
  usage = 2,     ///< command line or experiment file
  data = 3,      ///< images, manifests, weights, checkpoints
  plugin = 4,    ///< a plugin is missing, broken, or threw
  device = 5,    ///< no such device, out of memory
  storage = 6,   ///< disk full, database or file cannot be written
  stopped = 75,  ///< stopped by a signal and resumable (EX_TEMPFAIL)
};

/// Everything there is to say about a failure. All parts but `what` may be empty.
struct ErrorParts {
  std::string what;    ///< one sentence in lower case, no full stop: `unknown key "epoch"`
  std::string where;   ///< `file:line:column`, a path, `--set train.epochs`
  std::string remedy;  ///< what to do: `did you mean "epochs"?`
};

/// An error with a place and a remedy. Immutable; safe to copy across threads.
///
/// what() renders `where: what; remedy`, leaving out empty parts.
class Error : public std::exception {
 public:
  Error(ExitCode code, ErrorParts parts);
  Error(ExitCode code, std::string what) : Error(code, ErrorParts{std::move(what), {}, {}}) {}

  ExitCode code() const noexcept { return code_; }
  const ErrorParts& parts() const noexcept { return parts_; }
  const char* what() const noexcept override { return text_.c_str(); }

 private:
  ExitCode code_;
  ErrorParts parts_;
  std::string text_;
};

/// Several mistakes reported at once (an experiment file with three typos). Never empty.
/// what() holds one line per mistake, in the order given.
class ErrorList : public Error {
 public:
  explicit ErrorList(std::vector<Error> errors);
  const std::vector<Error>& errors() const noexcept { return errors_; }

 private:
  std::vector<Error> errors_;
};

/// The text of `errno`-like code, thread-safe: `No space left on device`.
std::string system_message(int code);

}  // namespace bcx
