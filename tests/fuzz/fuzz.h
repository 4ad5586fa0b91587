// What the fuzz targets share: input as a file, and the rule that every parser keeps.
#pragma once

#include <fmt/format.h>
#include <stdlib.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/text.h"

/// Called by libFuzzer with each input.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace bcx::fuzz {

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

inline void require(bool holds, std::string_view what) {
  if (holds) return;
  fmt::print(stderr, "a rule does not hold: {}\n", what);
  abort();
}

/// An error's text goes to a terminal: nothing in it may act on one.
inline void require_printable(const Error& error, bool one_line) {
  for (const auto& line : split(error.what(), one_line ? '\0' : '\n'))
    require(printable(line) == line, fmt::format("the text \"{}\" is printable", error.what()));
}

enum class Lines { one, several };

/// Runs a parser: it takes the input, or throws bcx::Error with a text that can be printed. Another
/// exception ends the process, and libFuzzer keeps the input.
template <typename Parse>
void take_or_refuse(Parse&& parse, Lines lines = Lines::one) {
  try {
    parse();
  } catch (const ErrorList& list) {
    for (const auto& error : list.errors()) require_printable(error, lines == Lines::one);
  } catch (const Error& error) {
    require_printable(error, lines == Lines::one);
  }
}

/// A folder in memory for as long as the process lives; temporary files go there, too.
class Folder {
 public:
  Folder() {
    std::string pattern = "/dev/shm/bcx-fuzz-XXXXXX";
    require(mkdtemp(pattern.data()) != nullptr, "a folder can be made in /dev/shm");
    path_ = pattern;
    setenv("TMPDIR", path_.c_str(), 1);
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  std::filesystem::path write(const std::string& name, std::string_view bytes) const {
    const auto path = path_ / name;
    std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
    return path;
  }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace bcx::fuzz
