// JSON as it is printed, and the one way of printing it.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace bcx::cli {

/// As text that no terminal acts on: JSON escapes control characters below 0x20 itself, and this
/// the others (DEL, C1 codes, marks that turn the direction of writing) as `\u009b`. Names may hold
/// any bytes: what of a string is not UTF-8 becomes U+FFFD.
std::string dump(const nlohmann::ordered_json& json);
/// The same in one line.
std::string dump_line(const nlohmann::ordered_json& json);

}  // namespace bcx::cli
