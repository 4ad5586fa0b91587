// JSON as it is printed.
#pragma once

#include <string>

namespace bcx::cli {

/// JSON text whose strings no terminal acts on: JSON escapes control characters below 0x20 itself,
/// and this the others (DEL, C1 codes, marks that turn the direction of writing) as `\u009b`.
std::string json_text(const std::string& dumped);

}  // namespace bcx::cli
