// Where bcx finds and keeps things.
#pragma once

#include <filesystem>
#include <string>

#include "base/error.h"

namespace bcx {

/// The running executable's real path; for a library's host process that is the host's.
std::filesystem::path executable_path();

/// `$XDG_CACHE_HOME/bcx` or `~/.cache/bcx`. Not created here.
std::filesystem::path cache_folder();

/// `$XDG_DATA_HOME/bcx` or `~/.local/share/bcx`. Not created here.
std::filesystem::path data_folder();

/// Whole content of a file of at most `limit` bytes. Throws bcx::Error (given code) when it cannot
/// be read or is larger: nothing is read past the limit.
std::string read_text(const std::filesystem::path& path, std::uintmax_t limit, ExitCode code);

}  // namespace bcx
