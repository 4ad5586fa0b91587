// The built-in texts of page.css and page.js: internal to this library.
#pragma once

#include <string_view>

namespace bcx::report {

extern const std::string_view style_text, script_text;

}  // namespace bcx::report
