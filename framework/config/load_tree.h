// load_experiment() for files that are read already: what sweeps try their parameters with.
#pragma once

#include <string>

#include "config/document.h"
#include "config/load.h"
#include "config/problems.h"

namespace bcx::config {

/// Applies environment, options and --set to what merge.h's read_sources() gave, and checks it all.
/// `options.file` only names the experiment. Mistakes go to `problems`; where there are any, the
/// experiment is not whole.
Experiment load_tree(Node root, const LoadOptions& options, const Catalog& catalog,
                     Problems& problems);

/// The experiment as one TOML file that says what its files, the environment and the command line
/// said, and leaves defaults out: paths are absolute, nothing is extended. Other values may be set
/// over it as over the files themselves.
std::string said_text(const Experiment& experiment);

}  // namespace bcx::config
