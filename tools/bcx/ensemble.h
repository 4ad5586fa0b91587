// The command that makes a run of other runs.
#pragma once

#include "commands.h"

namespace bcx::cli {

void add_ensemble(CLI::App& app, Action& action);  // ensemble

}  // namespace bcx::cli
