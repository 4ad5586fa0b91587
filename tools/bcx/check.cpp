#include "commands.h"

namespace bcx::cli {

void add_check(CLI::App&, Action&) {}

}  // namespace bcx::cli
