#include "standard_output.h"

#include <cerrno>
#include <cstdio>

#include "base/error.h"

namespace bcx::cli {
namespace {

[[noreturn]] void fail(int code) {
  if (code == EPIPE) throw OutputClosed();
  throw Error(ExitCode::storage, {system_message(code), "standard output", ""});
}

}  // namespace

void write_out(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size()) fail(errno);
}

void flush_out() {
  if (std::fflush(stdout) != 0) fail(errno);
}

}  // namespace bcx::cli
