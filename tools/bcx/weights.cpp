#include "commands.h"

namespace bcx::cli {

void add_weights(CLI::App&, Action&) {}

}  // namespace bcx::cli
