// `bcx data pack` and `bcx data preview`: the subcommands of `data` that read pictures.
#pragma once

#include "commands.h"

namespace bcx::cli {

/// Adds both below `data`; add_data() calls it.
void add_data_images(CLI::App& data, Action& action);

}  // namespace bcx::cli
