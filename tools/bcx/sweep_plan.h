// A sweep as the command line names it: a file, parameters, and what is said over them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "open_experiment.h"
#include "sweep/sweep_file.h"

namespace bcx::cli {

struct SweepFileOptions {
  ExperimentOptions experiment;
  std::vector<std::string> parameters;
  std::string tracker, method;
  std::int64_t trials = 0;  ///< 0: as the file says
  bool another = false;     ///< a new sweep, although this one is there
};

/// Adds FILE, PARAMETER, --set, --plugin-path, --method, --trials, --tracker and --new.
void add_sweep_file_options(CLI::App& command, SweepFileOptions& options);

/// Reads and checks all of it, files too. Throws ErrorList with every mistake.
sweep::SweepFile load_sweep_file(const SweepFileOptions& options);

}  // namespace bcx::cli
