// Commands written down for somebody to run: in the tracker, in a batch script, on a terminal.
#pragma once

#include <string>
#include <string_view>

namespace bcx {

/// `word` as one argument in a POSIX shell: as it is where no character means anything to a shell
/// (letters, digits, `_@%+=:,./-`), else between single quotes, each `'` inside as `'\''`
/// (IEEE Std 1003.1, Shell Command Language, 2.2). "" becomes `''`.
std::string shell_word(std::string_view word);

}  // namespace bcx
