// bcx_docs write|check ROOT: the pages of docs/ that are generated from the schema and the
// manifests.

#include <fmt/format.h>

#include <cstring>

#include "base/atomic_file.h"
#include "base/paths.h"
#include "config/reference.h"
#include "tools/docs/source_catalog.h"

namespace {

constexpr std::uintmax_t page_limit = 4u << 20;

int check(const std::filesystem::path& page, const std::string& text) {
  if (bcx::read_text(page, page_limit, bcx::ExitCode::other) == text) return 0;
  fmt::print(stderr, "{} is stale; run `cmake --build BUILD --target docs-reference`\n",
             page.string());
  return 1;
}

int run(const char* verb, const std::filesystem::path& root) {
  const auto page = root / "docs/experiment-file.md";
  const auto text = bcx::config::reference_markdown(bcx::docs::SourceCatalog(root));
  if (std::strcmp(verb, "check") == 0) return check(page, text);
  bcx::write_atomically(page, text);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3 || (std::strcmp(argv[1], "write") != 0 && std::strcmp(argv[1], "check") != 0)) {
    fmt::print(stderr, "usage: bcx_docs write|check ROOT\n");
    return 2;
  }
  try {
    return run(argv[1], argv[2]);
  } catch (const std::exception& error) {
    fmt::print(stderr, "error: {}\n", error.what());
    return 1;
  }
}
