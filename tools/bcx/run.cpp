#include "commands.h"

namespace bcx::cli {

void add_run(CLI::App&, Action&) {}

}  // namespace bcx::cli
