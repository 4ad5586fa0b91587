// What is checked in the bytes of a TOML file before a parser sees them.
#pragma once

#include <string>
#include <string_view>

#include "config/document.h"

namespace bcx::config {

/// Throws bcx::Error (usage) with `name:line:column` where the text exceeds a limit. Strings and
/// comments are skipped; a text that is no TOML may pass, and then fails in the parser.
///
/// Why: toml++ 3.3 recurses for every level of brackets and of dotted keys, in parsing and in its
/// destructors, so that 100 kB of `a.a.a.` overflow the stack; and it asserts that a header has a
/// name, so that `[.a]` ends the process.
void guard_document(std::string_view text, const std::string& name, const DocumentLimits& limits);

}  // namespace bcx::config
