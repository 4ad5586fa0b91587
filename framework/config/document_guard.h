// What is checked in the bytes of a TOML file before a parser sees them.
#pragma once

#include <string>
#include <string_view>

#include "config/document.h"

namespace bcx::config {

/// Throws bcx::Error (usage) with `name:line:column` where the text exceeds a limit. Strings and
/// comments are skipped; a text that is no TOML may pass, and then fails in the parser.
///
/// Why: toml++ (3.3, 3.4) recurses for every level of dotted keys, in parsing and in its destructors,
/// so that 100 kB of `a.a.a.` overflow the stack; it assumes that a header has a name, so that `[.a]`
/// is undefined behaviour; and it has poor words for a letter such as `é` outside quotes.
void guard_document(std::string_view text, const std::string& name, const DocumentLimits& limits);

}  // namespace bcx::config
