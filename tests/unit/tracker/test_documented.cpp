// docs/tracker.md names every table, view and column there is.
#include "base/paths.h"
#include "tests/catch.h"
#include "tracker/schema.h"

using namespace bcx::tracker;

namespace {

/// The page's line whose first cell is `name`.
std::string row_of(const std::string& page, const std::string& name) {
  const auto at = page.find("\n| `" + name + "` |");
  return at == std::string::npos ? "" : page.substr(at + 1, page.find('\n', at + 1) - at - 1);
}

}  // namespace

TEST_CASE("every table and column is documented") {
  const auto page =
      bcx::read_text(bcx::test::source_dir() / "docs/tracker.md", 1 << 20, bcx::ExitCode::other);
  bcx::test::TemporaryFolder folder;
  auto database = open_for_writing(folder / "bcx.db");
  auto columns = database.prepare(
      "SELECT s.name, c.name FROM sqlite_schema s JOIN pragma_table_info(s.name) c "
      "WHERE s.type IN ('table', 'view') AND s.name <> 'v_evaluation'");
  std::size_t count = 0;
  for (; columns.step(); ++count) {
    INFO(columns.text(0) << "." << columns.text(1));
    CHECK(row_of(page, columns.text(0)).find("`" + columns.text(1) + "`") != std::string::npos);
  }
  CHECK(count > 150);
}
