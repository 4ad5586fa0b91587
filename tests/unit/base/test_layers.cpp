// docs/architecture.md: a layer includes only what stands below it.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <regex>

#include "tests/catch.h"

namespace fs = std::filesystem;

namespace {

std::vector<std::string> lines_of(const fs::path& file) {
  std::ifstream stream(file);
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

/// Folders of the table, from the top: `tools/bcx/`, `framework/engine/`, ...
std::vector<std::string> layers() {
  const std::regex row(R"(\| \w+ \| `([a-z/]+/)` \|.*)");
  std::vector<std::string> folders;
  std::smatch match;
  for (const auto& line : lines_of(bcx::test::source_dir() / "docs/architecture.md"))
    if (std::regex_match(line, match, row)) folders.push_back(match[1]);
  return folders;
}

/// Where an include leads to: a path of this tree.
std::string target_of(const std::string& include) {
  if (include.starts_with("bcx/sdk/")) return "framework/sdk/";
  return include.starts_with("tracker/") ? include : "framework/" + include;
}

/// The row of a path's layer; -1: none.
std::ptrdiff_t row_of(const std::vector<std::string>& layers, const std::string& path) {
  const auto found = std::find_if(layers.begin(), layers.end(), [&](const std::string& folder) {
    return path.starts_with(folder);
  });
  return found == layers.end() ? -1 : found - layers.begin();
}

}  // namespace

TEST_CASE("a layer includes only what stands below it") {
  const auto root = bcx::test::source_dir();
  const auto all = layers();
  REQUIRE(all.size() == 15);
  const std::regex include(R"re(#include "([^"]+/[^"]+)".*)re");
  std::smatch match;
  int count = 0;
  for (std::size_t row = 0; row < all.size(); ++row)
    for (const auto& entry : fs::recursive_directory_iterator(root / all[row])) {
      if (entry.path().extension() != ".h" && entry.path().extension() != ".cpp") continue;
      for (const auto& line : lines_of(entry.path())) {
        if (!line.starts_with("#include \"") || !std::regex_match(line, match, include)) continue;
        if (match[1] == "bcx/sdk/abi.h") continue;  // numbers, which stand below everything
        const auto target = row_of(all, target_of(match[1]));
        INFO(entry.path().string() << " includes " << match[1]);
        CHECK(target >= static_cast<std::ptrdiff_t>(row));
        ++count;
      }
    }
  CHECK(count > 1000);
}
