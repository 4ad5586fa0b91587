// Subcommands of `bcx plugins` for authors, in files of their own.
#pragma once

#include "commands.h"

namespace bcx::cli {

void add_plugins_check(CLI::App& plugins, Action& action);
void add_plugins_new(CLI::App& plugins, Action& action);

}  // namespace bcx::cli
