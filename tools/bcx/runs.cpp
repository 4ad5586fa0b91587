#include "commands.h"

namespace bcx::cli {

void add_runs(CLI::App&, Action&) {}

}  // namespace bcx::cli
