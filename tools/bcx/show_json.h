// `bcx show --json`.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "tracker/reader.h"

namespace bcx::cli {

/// run_json() with the configuration, attempts, split, checkpoints, evaluations, plugins,
/// artifacts and system facts. Predictions and series are not in it: `bcx curve` has the latter.
nlohmann::ordered_json show_json(const tracker::Reader& reader, const tracker::RunShown& run);

}  // namespace bcx::cli
