// What the filter language says to people who get it wrong, its numbers, its times and its limits.
#include "base/error.h"
#include "small_tracker.h"
#include "tracker/filter.h"
#include "tracker/filter_values.h"
#include "tracker/reader.h"

using namespace bcx::tracker;
using namespace bcx::test;

namespace {

struct OneRun {
  OneRun() { SmallTracker(folder / "bcx.db").add(usual_run()); }
  std::string error(const std::string& filter) const {
    try {
      RunQuery query;
      query.filter = filter;
      Reader(folder / "bcx.db").runs(query);
    } catch (const bcx::Error& error) {
      CHECK(error.code() == bcx::ExitCode::usage);
      return error.what();
    }
    return "";
  }
  TemporaryFolder folder;
};

FilterValue value(const char* text) {
  try {
    return parse_number(text);
  } catch (const std::string& what) {
    return FilterText{what, false};
  }
}
std::string wrong(const char* text) {
  const auto out = value(text);
  return std::holds_alternative<FilterText>(out) ? std::get<FilterText>(out).text : "";
}

std::int64_t seconds(const char* text) {
  const auto span = parse_time(text, 1'000'000'000'000'000);
  return span ? span->from / 1'000'000 : -1;
}

}  // namespace

TEST_CASE("errors point at the column and name what is near") {
  const OneRun one;
  CHECK(one.error("seed = 3 and val.acu > 0.5") ==
        "filter, column 14: no run has a column, parameter or metric \"val.acu\"; did you mean "
        "\"val.auc\"?\n"
        "  seed = 3 and val.acu > 0.5\n"
        "               ^~~~~~~");
  CHECK(one.error("val.auc >") ==
        "filter, column 10: a key or a value is missing here\n"
        "  val.auc >\n"
        "           ^");
  CHECK(one.error("loss < 1") ==
        "filter, column 1: \"loss\" may be several keys: train.loss, val.loss; write it in full\n"
        "  loss < 1\n"
        "  ^~~~");
  CHECK(one.error("optimizer.name = sgd") ==
        "filter, column 18: no run has a column, parameter or metric \"sgd\"; a text is written in "
        "quotes: \"sgd\"\n"
        "  optimizer.name = sgd\n"
        "                   ^~~");
  CHECK(one.error("status = \"finish\"") ==
        "filter, column 10: there is no status \"finish\"; did you mean \"finished\"?\n"
        "  status = \"finish\"\n"
        "           ^~~~~~~~");
  CHECK(one.error("val.auc > \"0.5\"") ==
        "filter, column 11: val.auc is a number, and is compared here with a text\n"
        "  val.auc > \"0.5\"\n"
        "            ^~~~~");
  CHECK(one.error("started > 7d") ==
        "filter, column 11: started is a time, and is compared here with a number; write a time "
        "such as \"-7d\" or \"2026-11-23\"\n"
        "  started > 7d\n"
        "            ^~");
  CHECK(one.error("started > \"last week\"") ==
        "filter, column 11: \"last week\" is no time; write \"-7d\", \"today\", \"2026-11-23\" or "
        "\"2026-11-23 06:41\"\n"
        "  started > \"last week\"\n"
        "            ^~~~~~~~~~~");
  CHECK(one.error("(val.auc > 0.5") ==
        "filter, column 1: this parenthesis is not closed\n"
        "  (val.auc > 0.5\n"
        "  ^");
  CHECK(one.error("val.auc > 0.5 && seed = 1") ==
        "filter, column 15: filters have no &&; write and\n"
        "  val.auc > 0.5 && seed = 1\n"
        "                ^~");
  CHECK(one.error("bst(val.auc) > 0.5") ==
        "filter, column 1: there is no function \"bst\"; did you mean \"best\"?\n"
        "  bst(val.auc) > 0.5\n"
        "  ^~~");
  CHECK(one.error("best(optimizer.name) = 1") ==
        "filter, column 1: optimizer.name is no metric: best has no meaning for it\n"
        "  best(optimizer.name) = 1\n"
        "  ^~~~~~~~~~~~~~~~~~~~");
  CHECK(one.error("tag < \"a\"") ==
        "filter, column 1: a run may have several tags; ask with =, !=, in or like\n"
        "  tag < \"a\"\n"
        "  ^~~");
  CHECK(one.error("val.auc > 0.5 seed = 1") ==
        "filter, column 15: \"and\" or \"or\" is missing before this\n"
        "  val.auc > 0.5 seed = 1\n"
        "                ^~~~");
  CHECK(one.error("val.auc") ==
        "filter, column 8: a comparison is missing here; one of = != < <= > >=, in, like, between, "
        "is null\n"
        "  val.auc\n"
        "         ^");
  CHECK(one.error("seed = 3parsecs") ==
        "filter, column 8: \"parsecs\" is no unit: ms s m h d w, or B kB MB GB TB KiB MiB GiB TiB\n"
        "  seed = 3parsecs\n"
        "         ^~~~~~~~");
  CHECK(one.error("val.auc = nan") ==
        "filter, column 11: nothing is compared with nan; write: KEY is nan\n"
        "  val.auc = nan\n"
        "            ^~~");
  CHECK(one.error("0.1 < val.auc > 0.5") ==
        "filter, column 15: a range goes one way: 1 < key <= 2, or 2 > key >= 1\n"
        "  0.1 < val.auc > 0.5\n"
        "                ^");
}

TEST_CASE("errors show hostile and long filters safely") {
  const OneRun one;
  const auto hostile = one.error("name = \"\x1b[2J\" and x\xff = 1");
  CHECK(hostile ==
        "filter, column 22: no run has a column, parameter or metric \"x\\xff\"\n"
        "  name = \"\\x1b[2J\" and x\\xff = 1\n"
        "                       ^~~~~");
  const auto distant = one.error(std::string(300, ' ') + "oops = 1" + std::string(300, ' '));
  CHECK(distant.find("filter, column 301: ") == 0);
  CHECK(distant.size() < 400);
}

TEST_CASE("filters have limits") {
  const OneRun one;
  CHECK(one.error(std::string(10'001, ' ')) == "a filter of 10001 bytes; 10000 are the most");
  std::string many = "seed = 1";
  for (int i = 0; i < 240; ++i) many += " or seed = 1";
  CHECK(one.error(many).empty());
  for (int i = 0; i < 10; ++i) many += " or seed = 1";
  CHECK(one.error(many).find("more than 1000 words and signs") != std::string::npos);
  CHECK(one.error(std::string(60, '(') + "seed = 1" + std::string(60, ')')).empty());
  CHECK(one.error(std::string(70, '(') + "seed = 1").find("deeper than 64") != std::string::npos);
  std::string nots;
  for (int i = 0; i < 70; ++i) nots += "not ";
  CHECK(one.error(nots + "seed = 1").find("deeper than 64") != std::string::npos);
}

TEST_CASE("a filter is no way into the SQL") {
  const OneRun one;
  RunQuery query;
  for (const char* text : {"name = \"' OR 1=1 --\"", "name = \"densenet201' --\"",
                           "optimizer.name = \"sgd\\\"; DROP TABLE run; --\""}) {
    query.filter = text;
    CHECK(Reader(one.folder / "bcx.db").runs(query).empty());
  }
  query.filter = "name = \"densenet201\"";
  CHECK(Reader(one.folder / "bcx.db").runs(query).size() == 1);
}

TEST_CASE("numbers as TOML writes them, and units") {
  CHECK(std::get<std::int64_t>(value("1_000")) == 1000);
  CHECK(std::get<std::int64_t>(value("-9223372036854775808")) ==
        std::numeric_limits<std::int64_t>::min());
  CHECK(std::get<std::int64_t>(value("0xff")) == 255);
  CHECK(std::get<std::int64_t>(value("0o17")) == 15);
  CHECK(std::get<std::int64_t>(value("0b1_01")) == 5);
  CHECK(std::get<double>(value("1e-3")) == 1e-3);
  CHECK(std::get<double>(value("6.02_2e+23")) == 6.022e23);
  CHECK(std::get<double>(value("-inf")) == -std::numeric_limits<double>::infinity());
  CHECK(std::get<std::int64_t>(value("30m")) == 1800);
  CHECK(std::get<double>(value("1.5h")) == 5400);
  CHECK(std::get<double>(value("250ms")) == 0.25);
  CHECK(std::get<std::int64_t>(value("8GiB")) == std::int64_t{8} << 30);
  CHECK(std::get<std::int64_t>(value("-7d")) == -7 * 86400);

  CHECK(wrong("1__0") == "\"1__0\" is no number as TOML writes them");
  CHECK(wrong("1_") == "\"1_\" is no number as TOML writes them");
  CHECK(wrong("012") == "\"012\" is no number as TOML writes them");
  CHECK(wrong("1.") == "\"1.\" is no number as TOML writes them");
  CHECK(wrong("0x") == "\"0x\" is no number as TOML writes them");
  CHECK(wrong("1e999") == "1e999 does not fit into a double");
  CHECK(wrong("9223372036854775808") == "9223372036854775808 does not fit into 64 bits");
  CHECK(wrong("9223372036854775807d") == "9223372036854775807d does not fit into 64 bits");
}

TEST_CASE("times") {
  CHECK(seconds("-7d") == 1'000'000'000 - 7 * 86400);
  CHECK(seconds("-1.5h") == 1'000'000'000 - 5400);
  CHECK(seconds("now") == 1'000'000'000);
  CHECK(seconds("2026-11-23T06:41:07Z") == 1795416067);
  CHECK(seconds("2026-11-23T07:41:07+01:00") == 1795416067);
  CHECK(seconds("2024-02-29") == 1709164800);
  for (const char* text :
       {"2026-02-29", "2026-13-01", "2026-00-01", "2026-11-31", "2026-11-23T24:00", "2026-11-23T06",
        "2026-1-1", "26-11-23", "", "-", "-7GB", "2026-11-23Z", "2026-11-23 06:41:07.",
        "2026-11-23 06:41 +01:00", "1969-01-01", "-1e300d"}) {
    INFO(text);
    CHECK(!parse_time(text, 0));
  }
  const auto fraction = parse_time("2026-11-23T06:41:07.125Z", 0);
  REQUIRE(fraction);
  CHECK(fraction->from == 1795416067125000);
  CHECK(fraction->to == 1795416067126000);
  const auto month = parse_time("2024-02", 0);
  REQUIRE(month);
  CHECK((month->to - month->from) == 29 * std::int64_t{86'400'000'000});
}
