// Long lists of names, in a line.
#pragma once

#include <span>
#include <string>

namespace bcx {

/// Up to twelve names joined by commas; of more the first five and how many there are:
/// `a, b, c, d, e, ... (1,000 in all)`. Raw: print with printable().
std::string few(std::span<const std::string> names);

}  // namespace bcx
