#include <cmath>
#include <limits>

#include "base/error.h"
#include "base/few.h"
#include "base/table.h"
#include "base/text.h"
#include "tests/catch.h"

using namespace bcx;

TEST_CASE("the nearest name is a typo away, not a guess") {
  const std::vector<std::string> keys{"epochs", "batch_size", "device", "learning_rate"};
  CHECK(nearest("epoch", keys) == "epochs");
  CHECK(nearest("bathc_size", keys) == "batch_size");
  CHECK(nearest("lerning_rate", keys) == "learning_rate");
  CHECK_FALSE(nearest("colour", keys));
  CHECK(did_you_mean("epcohs", keys) == "did you mean \"epochs\"?");
  CHECK(did_you_mean("zzz", keys).empty());
}

TEST_CASE("what a terminal could act on is made visible") {
  CHECK(printable("plain ä 漢") == "plain ä 漢");
  CHECK(printable("a\nb\tc") == "a\\nb\\tc");
  CHECK(printable("\x1b[31mred") == "\\x1b[31mred");
  CHECK(printable(std::string_view("\0", 1)) == "\\x00");
  CHECK(printable("\xff\xc0\xaf") == "\\xff\\xc0\\xaf");
  CHECK(printable("\xe2\x80\xae"
                  "gpj.exe") == "\\xe2\\x80\\xaegpj.exe");  // right-to-left override
  CHECK(printable("\xc2\x9b"
                  "2J") ==
        "\\xc2\\x9b"
        "2J");  // C1 control sequence
}

TEST_CASE("widths count columns, not bytes") {
  CHECK(display_width("abc") == 3);
  CHECK(display_width("äöü") == 3);
  CHECK(display_width("漢字") == 4);
  CHECK(clip("abcdef", 4) == "abc…");
  CHECK(clip("漢字漢字", 5) == "漢字…");
  CHECK(clip("abc", 3) == "abc");
}

TEST_CASE("numbers read back as the same double") {
  for (const double value : {0.1, 1.0, 1e-7, 1e300, -0.0, 123456789.0, 2.0 / 3})
    CHECK(std::stod(shortest(value)) == value);
  CHECK(shortest(1.0) == "1.0");
  CHECK(shortest(1e-7) == "1e-07");
  CHECK(shortest(std::nan("")) == "nan");
  CHECK(shortest(-std::numeric_limits<double>::infinity()) == "-inf");
}

TEST_CASE("sizes, durations and counts are for people") {
  CHECK(human_bytes(812) == "812 B");
  CHECK(human_bytes(1400000000) == "1.40 GB");
  CHECK(human_bytes(999999) == "1.00 MB");
  CHECK(human_duration(0.4213) == "0.42 s");
  CHECK(human_duration(192) == "3 min 12 s");
  CHECK(human_duration(7500) == "2 h 05 min");
  CHECK(human_duration(3599.9) == "1 h 00 min");
  CHECK(grouped(1234567) == "1,234,567");
  CHECK(grouped(-123) == "-123");
  CHECK(grouped(-1234) == "-1,234");
}

TEST_CASE("a table clips what yields and keeps what does not") {
  Table table({{"id", Align::left, 0}, {"name", Align::left, 2}, {"auc", Align::right, 0}});
  table.add({"1a2b", "a-rather-long-name-of-a-run", "0.91"});
  table.add({"3c", "short"});
  CHECK(table.text() ==
        "id    name                          auc\n"
        "1a2b  a-rather-long-name-of-a-run  0.91\n"
        "3c    short\n");
  CHECK(table.text(24) ==
        "id    name           auc\n"
        "1a2b  a-rather-lo…  0.91\n"
        "3c    short\n");
  CHECK(table.markdown() ==
        "| id | name | auc |\n| --- | --- | ---: |\n"
        "| 1a2b | a-rather-long-name-of-a-run | 0.91 |\n| 3c | short |  |\n");
  Table hostile({{"name"}});
  hostile.add({"a,\"b\"\x1b[2J"});
  CHECK(hostile.text() == "name\na,\"b\"\\x1b[2J\n");
  CHECK(hostile.csv() == "name\n\"a,\"\"b\"\"\x1b[2J\"\n");
}

TEST_CASE("an error renders place, mistake and remedy") {
  const Error full(ExitCode::usage,
                   {"unknown key \"epoch\"", "a.toml:3:1", "did you mean \"epochs\"?"});
  CHECK(std::string(full.what()) == "a.toml:3:1: unknown key \"epoch\"; did you mean \"epochs\"?");
  CHECK(std::string(Error(ExitCode::data, "no images").what()) == "no images");
  const ErrorList list({full, Error(ExitCode::data, "no images")});
  CHECK(list.code() == ExitCode::usage);
  CHECK(std::string(list.what()) == std::string(full.what()) + "\nno images");
}

TEST_CASE("few names are listed, of many the first") {
  std::vector<std::string> names;
  CHECK(few(names).empty());
  for (int i = 1; i <= 12; ++i) names.push_back("c" + std::to_string(i));
  CHECK(few(names) == "c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12");
  names.resize(1'000, "x");
  CHECK(few(names) == "c1, c2, c3, c4, c5, ... (1,000 in all)");
}
