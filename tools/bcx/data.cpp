#include "commands.h"

namespace bcx::cli {

void add_data(CLI::App&, Action&) {}

}  // namespace bcx::cli
