// What `bcx` drags in at every start: read from the files' dynamic sections, through bcx's own
// libraries. LibTorch costs 0.28 s, imgcodecs 70 ms and 140 libraries. OpenCV's core brings the
// distribution's BLAS, whose functions are called as LibTorch's are: loaded with the command, it
// would serve LibTorch's matrix products, 40 times as slowly.

#include <set>

#include "plugin/elf.h"
#include "tests/catch.h"

using namespace bcx;

namespace {

void collect(const std::filesystem::path& file, std::set<std::string>& names) {
  for (const auto& name : plugin::ElfFile(file).needed())
    if (names.insert(name).second)
      if (const auto own = test::build_dir() / "lib" / name; std::filesystem::exists(own))
        collect(own, names);
}

std::set<std::string> all_needed(const std::filesystem::path& file) {
  std::set<std::string> names;
  collect(file, names);
  return names;
}

}  // namespace

TEST_CASE("bcx links neither LibTorch nor OpenCV") {
  const auto names = all_needed(test::build_dir() / "bin/bcx");
  CHECK(names.contains("libbcx_base.so"));
  for (const auto& name : names) {
    INFO(name);
    CHECK_FALSE(name.starts_with("libtorch"));
    CHECK_FALSE(name.starts_with("libc10"));
    CHECK_FALSE(name.starts_with("libopencv"));
    CHECK_FALSE(name.starts_with("libbcx_engine"));
    CHECK_FALSE(name.starts_with("libbcx_sdk"));
    CHECK_FALSE(name.starts_with("libbcx_images"));
  }
}

TEST_CASE("the SDK's library does link LibTorch: the test above can fail") {
  CHECK(all_needed(test::build_dir() / "lib/libbcx_sdk.so").contains("libtorch_cpu.so"));
}

TEST_CASE("the engine brings no OpenCV beside LibTorch, whose matrix products stay its own") {
  const auto names = all_needed(test::build_dir() / "lib/libbcx_engine.so");
  CHECK(names.contains("libtorch_cpu.so"));
  for (const auto& name : names) {
    INFO(name);
    CHECK_FALSE(name.starts_with("libopencv"));
    CHECK_FALSE(name.starts_with("libblas"));
  }
}
