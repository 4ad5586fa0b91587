// Errors about a text that somebody typed on the command line, with a caret under the place.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/error.h"

namespace bcx::tracker {

/// A usage error that shows `text` with `^~~~` under the bytes [at, at + length):
///
///     filter, column 10: a key or a value is missing here
///       val.auc >
///                ^
///
/// Long texts are cut around the place; nothing in them reaches the terminal raw. `of` says what
/// the text is.
Error pointed_error(std::string_view of, std::string_view text, std::size_t at, std::size_t length,
                    std::string what, std::string remedy = {});

}  // namespace bcx::tracker
