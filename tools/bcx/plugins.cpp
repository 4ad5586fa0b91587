#include "commands.h"

namespace bcx::cli {

void add_plugins(CLI::App&, Action&) {}

}  // namespace bcx::cli
