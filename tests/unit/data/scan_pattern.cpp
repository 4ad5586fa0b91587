#include "data/scan_pattern.h"

#include <string>

#include "data_tables.h"
#include "tests/catch.h"

using namespace bcx;
using namespace bcx::data;

namespace {

std::string pattern_error(const std::string& text) {
  return test::error_of([&] { NamePattern pattern(text); });
}

using Values = std::vector<std::string>;

}  // namespace

TEST_CASE("named groups become attributes") {
  const NamePattern pattern(R"((?:^|/)(x)?(?<case>\d+)_(?P<eye>left|right)\.png$)");
  CHECK(pattern.names() == Values{"case", "eye"});
  CHECK(pattern.match("a/12_left.png") == Values{"12", "left"});
  CHECK(pattern.match("x7_right.png") == Values{"7", "right"});
  CHECK_FALSE(pattern.match("12_up.png"));
  // A parenthesis that is escaped or in a class is no group.
  const NamePattern tricky(R"([(\]]\((?<a>[^)]*)\)(?:-(?<b>z))?)");
  CHECK(tricky.match("((q)") == Values{"q", ""});
}

TEST_CASE("BreakHis's grammar as a pattern") {
  const NamePattern pattern(
      R"(SOB_(?<tumour>[BM])_(?<type>A|F|PT|TA|DC|LC|MC|PC)-(?<year>\d{2})-(?<number>\d+)([A-Z]*)-(?<zoom>40|100|200|400)-(\d{3})\.png$)");
  CHECK(pattern.match("benign/SOB/x/SOB_B_PT-14-21998AB-100-046.png") ==
        Values{"B", "PT", "14", "21998", "100"});
}

TEST_CASE("patterns that explode elsewhere are matched in time") {
  const NamePattern nested("^(?<a>(x+x+)+y)$"), alternatives("^(?<a>(a|a|aa)+)$");
  const std::string many(4000, 'x');
  CHECK_FALSE(nested.match(std::string(300, 'x')));
  CHECK_FALSE(alternatives.match(std::string(300, 'a') + "b"));
  CHECK(NamePattern("(?<tail>x)$").match(many) == Values{"x"});
}

TEST_CASE("bad patterns are refused") {
  CHECK(pattern_error("abc") ==
        "data.pattern: the expression has no named group; name what it finds, as in (?<case>\\d+)");
  CHECK(pattern_error("(?<case>x)(?<case>y)") ==
        "data.pattern: two groups are called \"case\"; give each its own name");
  CHECK(pattern_error("(?<1>x)") ==
        "data.pattern: \"1\" is not a group's name; names are letters, digits and _, as in "
        "(?<case>\\d+)");
  CHECK(pattern_error("(?<label>x)") ==
        "data.pattern: a group cannot be called \"label\"; choose another name");
  CHECK(pattern_error("(?<a>x") == "data.pattern: a group is not closed");
  CHECK(pattern_error("(?<a>x))") == "data.pattern: a ) without its (");
  CHECK(pattern_error("(?<a>[x)") == "data.pattern: a [ is not closed");
  CHECK(pattern_error("(?<a>x)\\") == "data.pattern: the expression ends in a single backslash");
  CHECK(pattern_error("(?<a>x)\\1") ==
        "data.pattern: back references are not supported; write the group's expression again");
  CHECK(pattern_error("(?<a>((x{99}){99}){99})") ==
        "data.pattern: the expression is too large once its repeats are unrolled; use smaller "
        "counts");
  CHECK(pattern_error("(?<a>x)" + std::string(2000, 'y')) ==
        "data.pattern: the expression has 2007 characters, 1024 are allowed");
  CHECK(pattern_error("*(?<a>x)") ==
        "data.pattern: a repeat with nothing to repeat, or a group of a kind that is not known; "
        "ECMAScript's syntax is expected, with (?<name>...) groups");
  CHECK(pattern_error("(?<a>x)" + std::string(40, '(')) ==
        "data.pattern: groups are nested too deeply");
  CHECK(test::error_of([] { NamePattern("(?<a>x)").match(std::string(5000, 'y')); }) ==
        std::string(80, 'y') + "...: a path of 5000 bytes, 4096 are allowed");
}
