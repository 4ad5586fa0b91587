// The built-in text of index.json: internal to this library.
#pragma once

#include <string_view>

namespace bcx::weights {

extern const std::string_view index_text;

}  // namespace bcx::weights
