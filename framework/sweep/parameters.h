// [[sweep.parameter]] and its short form on the command line.
#pragma once

#include <string>
#include <vector>

#include "config/document.h"
#include "config/problems.h"
#include "sweep/space.h"

namespace bcx::sweep {

/// `KEY=16,32,64` or `KEY=log(1e-5,1e-2)` as the table that a file would hold. Mistakes of the text
/// itself go to `problems`; none then.
std::vector<config::Node> parameter_nodes(const std::vector<std::string>& texts,
                                          config::Problems& problems);

/// An axis and what of the file it came from.
struct WrittenAxis {
  Axis axis;
  config::Origin key;  ///< where the key stands
  /// The values to try the experiment with, and where they stand: every choice, or both ends.
  std::vector<std::pair<config::Node, config::Origin>> tried;
  std::vector<config::Node> when;  ///< values of axis.when, in its order
};

/// One table of [[sweep.parameter]]. The values of choices are not typed yet: config::Value of what
/// was written. Mistakes go to `problems`.
WrittenAxis read_axis(const config::Node& table, config::Problems& problems);

}  // namespace bcx::sweep
