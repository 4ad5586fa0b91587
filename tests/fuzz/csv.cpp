// Any text as a manifest of images.
#include "data/csv.h"
#include "data/manifest.h"
#include "tests/fuzz/fuzz.h"

using namespace bcx;

namespace {
const fuzz::Folder& data_set() {
  static const fuzz::Folder folder;
  static const bool made = [] {
    std::filesystem::create_directory(folder.path() / "sub");
    for (const char* name : {"a.png", "b.png", "sub/c.png"}) folder.write(name, "x");
    std::filesystem::create_symlink("/etc", folder.path() / "out");
    std::filesystem::create_symlink("loop", folder.path() / "loop");
    return true;
  }();
  fuzz::require(made, "the folder is there");
  return folder;
}
}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto file = data_set().write("manifest.csv", fuzz::text_of(data, size));
  fuzz::take_or_refuse([&] {
    for (const auto& row : data::read_manifest(file).rows)
      fuzz::require(
          row.relative == "a.png" || row.relative == "b.png" || row.relative == "sub/c.png",
          "rows name files of the folder");
  });
  return 0;
}
