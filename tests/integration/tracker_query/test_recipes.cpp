// Every block of docs/recipes.md and of docs/filters.md, as a person would paste it.
#include "base/paths.h"
#include "base/text.h"
#include "sample_tracker.h"

using namespace bcx::test;

namespace {

std::vector<std::string> recipes() {
  const auto page = bcx::read_text(source_dir() / "docs/recipes.md", 1 << 20, bcx::ExitCode::other);
  std::vector<std::string> out;
  for (std::size_t at = 0; (at = page.find("```sh\n", at)) != std::string::npos;) {
    const auto end = page.find("```", at + 6);
    out.push_back(page.substr(at + 6, end - at - 6));
    at = end + 3;
  }
  return out;
}

/// The examples at the top of the page: lines that begin with four spaces and `bcx`.
std::vector<std::string> filters() {
  std::vector<std::string> out;
  for (const auto& line : bcx::split(
           bcx::read_text(source_dir() / "docs/filters.md", 1 << 20, bcx::ExitCode::other), '\n'))
    if (line.starts_with("    bcx ")) out.push_back(line);
  return out;
}

}  // namespace

TEST_CASE("the recipes work and have an answer") {
  TemporaryFolder folder;
  fill_sample_tracker(folder / "bcx.db");
  const auto all = recipes();
  REQUIRE(all.size() >= 10);
  for (const auto& recipe : all) {
    const auto result = shell(recipe, folder);
    INFO(recipe << result.err << result.out);
    CHECK(result.code == 0);
    CHECK(std::count(result.out.begin(), result.out.end(), '\n') >= 2);  // a title and a row
  }
}

TEST_CASE("the examples of filters are filters") {
  TemporaryFolder folder;
  fill_sample_tracker(folder / "bcx.db");
  const auto all = filters();
  REQUIRE(all.size() == 4);
  for (const auto& filter : all) {
    const auto result = shell(filter, folder);
    INFO(filter << result.err);
    // This small tracker has no backbone: the only thing that may be wrong.
    CHECK((result.code == 0 || result.err.find("\"backbone\"") != std::string::npos));
  }
}
