// Standard output that may be full, or closed by whoever read it.
#pragma once

#include <string_view>

namespace bcx::cli {

/// Whoever read standard output has enough (`| head`): the command ends quietly, with the exit code
/// that a shell shows for SIGPIPE.
struct OutputClosed {
  static constexpr int exit_code = 141;
};

/// Writes to standard output. Throws OutputClosed, or bcx::Error (storage) for a full disk.
void write_out(std::string_view text);
/// What is buffered, anybody's. Throws as write_out().
void flush_out();

}  // namespace bcx::cli
