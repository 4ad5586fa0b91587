// The subcommands of `bcx sweep` beside run, resume and extend.
#pragma once

#include <string>

#include "commands.h"

namespace bcx::cli {

/// Adds SWEEP (default: @last) and --tracker.
void add_sweep_options(CLI::App& command, std::string& which, std::string& tracker);

void add_sweep_views(CLI::App& group, Action& action);   // status, best, show, report
void add_sweep_engine(CLI::App& group, Action& action);  // ask, tell
void add_sweep_slurm(CLI::App& group, Action& action);   // submit

}  // namespace bcx::cli
