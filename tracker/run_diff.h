// What sets runs apart: `bcx diff A B ...`.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tracker/reader.h"

namespace bcx::tracker {

/// A fact that is not the same in all of the runs.
struct Difference {
  std::string section;  ///< parameters | plugins | data | code | environment
  std::string key;
  std::vector<std::optional<std::string>> values;  ///< one for each run; none: it has no such fact
};

/// All differences, section by section, keys in order. Compared are parameters (by type and value),
/// plugins (version and build id), data set, split and fold (by hash), the code's revision and
/// version, and what the tracker knows of the machine (host and `system`). Figures, names and times
/// are no differences.
std::vector<Difference> run_differences(const Reader& reader, const std::vector<RunShown>& runs);

/// Those of the parameters alone.
std::vector<Difference> parameter_differences(const std::vector<RunShown>& runs);

}  // namespace bcx::tracker
