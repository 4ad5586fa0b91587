#include "run_request.h"

#include <unistd.h>

#include "run_text.h"

namespace bcx::cli {

engine::RunRequest request_for(const OpenedExperiment& opened) {
  auto missing = config::check_files(opened.experiment);
  if (!missing.empty()) throw ErrorList(std::move(missing));
  return {.experiment = opened.experiment,
          .catalog = *opened.catalog,
          .command = command_line(),
          .git_commit = git_commit(),
          .version = BCX_VERSION,
          .may_fetch_weights = isatty(STDIN_FILENO) && isatty(STDERR_FILENO)};
}

}  // namespace bcx::cli
