// Catch2, whichever major version the machine has (Debian 12 ships 2, Ubuntu 24.04 ships 3), and
// what every test needs: paths, and a skip that is seen.
#pragma once

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
using Catch::Approx;
#else
#include <catch2/catch.hpp>
#endif

#include <cstdlib>
#include <filesystem>
#include <string>

namespace bcx::test {

/// The root of the source tree.
std::filesystem::path source_dir();

/// The build tree that this test belongs to: bin/bcx, lib/, lib/bcx/plugins.
std::filesystem::path build_dir();

/// The folder of shared reference files beside the checkout, empty when there is none.
/// BCX_SHARED names another place.
inline std::filesystem::path shared_dir() {
  if (const char* told = std::getenv("BCX_SHARED")) return told;
  auto beside = source_dir().parent_path() / "shared";
  return std::filesystem::is_directory(beside) ? beside : std::filesystem::path{};
}

/// A fresh folder under the system's temporary folder, removed with its content at the end of the scope.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "bcx-test-XXXXXX").string();
    if (!mkdtemp(pattern.data())) throw std::runtime_error("mkdtemp failed");
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

}  // namespace bcx::test

/// Leaves the test case with a visible message: Catch2 before 3.3 has no SKIP of its own.
#define BCX_SKIP(message)              \
  do {                                 \
    WARN("skipped: " << (message));    \
    return;                            \
  } while (false)

/// Leaves the test case when the shared reference file or folder is not beside the checkout.
#define BCX_NEEDS_SHARED(relative)                                                     \
  if (bcx::test::shared_dir().empty() ||                                               \
      !std::filesystem::exists(bcx::test::shared_dir() / (relative)))                  \
  BCX_SKIP(std::string("../shared/") + (relative) + " is not beside this checkout")
