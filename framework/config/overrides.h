// What has its say after the files: environment variables, options, --set.
#pragma once

#include <string>

#include "config/document.h"
#include "config/load.h"
#include "config/problems.h"

namespace bcx::config {

/// BCX_DATA where data.root is unset or relative; BCX_TRACKER in any case.
void apply_environment(Node& root, const LoadOptions& options);

/// Options in their order, then --set in theirs. Mistakes in the text itself go to `problems`;
/// whether the key exists is found later, with all other keys.
void apply_command_line(Node& root, const LoadOptions& options, Problems& problems);

}  // namespace bcx::config
