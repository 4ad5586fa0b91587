// A folder that goes with the scope.
#pragma once

#include <stdlib.h>

#include <cerrno>
#include <filesystem>
#include <string>
#include <system_error>

#include "base/error.h"
#include "base/text.h"

namespace bcx {

/// Made new, for this process alone, and removed with everything in it.
class TemporaryFolder {
 public:
  /// `bcx-WHAT-XXXXXX` below the system's temporary folder. Throws (storage).
  explicit TemporaryFolder(const std::string& what)
      : TemporaryFolder(what, std::filesystem::temp_directory_path(),
                        "TMPDIR names another place") {}
  /// Below `parent`; `remedy` says how to choose another one.
  TemporaryFolder(const std::string& what, const std::filesystem::path& parent,
                  const std::string& remedy) {
    std::string pattern = (parent / ("bcx-" + what + "-XXXXXX")).string();
    if (!mkdtemp(pattern.data()))
      throw Error(ExitCode::storage,
                  {"cannot make a folder: " + system_message(errno), printable(pattern), remedy});
    path_ = pattern;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(const std::filesystem::path& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

}  // namespace bcx
