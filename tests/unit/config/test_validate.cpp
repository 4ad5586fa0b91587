// One value against one declared parameter.

#include "config/validate.h"

#include <limits>

#include "base/text.h"
#include "config/schema.h"
#include "tests/catch.h"

using namespace bcx;
using namespace bcx::config;

namespace {

Checked check(const ParamSpec& spec, const std::string& toml) {
  const Node root = parse_document("v = " + toml, "x");
  return check_value(spec, *root.find("v"));
}

std::string mistake(const ParamSpec& spec, const std::string& toml) {
  const Checked checked = check(spec, toml);
  CHECK(!checked.value);
  return checked.mistake.what +
         (checked.mistake.remedy.empty() ? "" : "; " + checked.mistake.remedy);
}

ParamSpec spec(Type type) {
  ParamSpec out;
  out.name = "k";
  out.type = type;
  return out;
}

}  // namespace

TEST_CASE("only int converts to float") {
  CHECK(*check(spec(Type::real), "3").value == Value(3.0));
  CHECK(*check(spec(Type::reals), "[1, 2.5]").value == Value(std::vector<double>{1.0, 2.5}));
  CHECK(mistake(spec(Type::integer), "3.0") == "expected an integer, got 3.0");
  CHECK(mistake(spec(Type::integer), "\"3\"") ==
        "expected an integer, got \"3\"; write 3, without quotes");
  CHECK(mistake(spec(Type::boolean), "1") == "expected true or false, got 1");
  CHECK(mistake(spec(Type::string), "0.5") ==
        "expected a string, got 0.5; write \"0.5\", in quotes");
  CHECK(mistake(spec(Type::string), "2024-01-31") ==
        "expected a string, got the date or time 2024-01-31; write \"2024-01-31\", in quotes");
  CHECK(mistake(spec(Type::real), "{a = 1}") == "expected a number, got a table");
  CHECK(mistake(spec(Type::strings), "\"a\"") ==
        "expected a list of strings, got \"a\"; write [\"a\"]");
  CHECK(mistake(spec(Type::integers), "[1, \"a\"]") == "expected a list of integers, got \"a\"");
}

TEST_CASE("NaN, infinity and NUL are refused") {
  CHECK(mistake(spec(Type::real), "nan") == "expected a finite number, got nan");
  CHECK(mistake(spec(Type::real), "-inf") == "expected a finite number, got -inf");
  CHECK(mistake(spec(Type::reals), "[1.0, inf]") == "expected a finite number, got inf");
  CHECK(mistake(spec(Type::path), "\"a\\u0000b\"") ==
        "expected a path, got \"a\\x00b\"; it holds a NUL character");
}

TEST_CASE("ranges hold at their ends") {
  ParamSpec closed = spec(Type::real);
  closed.minimum = 0;
  closed.maximum = 1;
  CHECK(check(closed, "0").value);
  CHECK(check(closed, "1.0").value);
  CHECK(mistake(closed, "1.0000001") == "expected a number from 0 to 1, got 1.0000001");
  ParamSpec open = closed;
  open.exclusive_minimum = open.exclusive_maximum = true;
  CHECK(mistake(open, "0") == "expected a number above 0 and below 1, got 0");
  CHECK(mistake(open, "1.0") == "expected a number above 0 and below 1, got 1.0");
  ParamSpec half = closed;
  half.exclusive_maximum = true;
  CHECK(mistake(half, "1") == "expected a number of at least 0 and below 1, got 1");
  ParamSpec least = spec(Type::integer);
  least.minimum = 1;
  CHECK(mistake(least, "0") == "expected an integer of at least 1, got 0");
  CHECK(range_text(least) == ">= 1");
  CHECK(range_text(closed) == "[0, 1]");
  CHECK(range_text(half) == "[0, 1)");
}

TEST_CASE("choices and words") {
  ParamSpec choice = spec(Type::string);
  choice.choices = {std::string("auto"), std::string("fp32"), std::string("bf16")};
  CHECK(mistake(choice, "\"fp23\"") ==
        "expected \"auto\", \"fp32\" or \"bf16\", got \"fp23\"; did you mean \"fp32\"?");
  ParamSpec numbers = spec(Type::integers);
  numbers.choices = {std::int64_t{40}, std::int64_t{100}};
  CHECK(mistake(numbers, "[40, 50]") == "expected a list of 40 or 100, got 50");
  ParamSpec weights = spec(Type::reals);
  weights.choices = {std::string("none"), std::string("balanced")};
  weights.minimum = 0;
  weights.exclusive_minimum = true;
  CHECK(*check(weights, "\"balanced\"").value == Value(std::string("balanced")));
  CHECK(check(weights, "[1, 2]").value);
  CHECK(mistake(weights, "\"balancd\"") ==
        "expected \"none\", \"balanced\" or a list of numbers above 0, got \"balancd\"; did you "
        "mean \"balanced\"?");
  CHECK(mistake(weights, "[1, 0]") ==
        "expected \"none\", \"balanced\" or a list of numbers above 0, got 0");
}

TEST_CASE("every default of the schema keeps its own rules") {
  for (const auto& section : schema())
    for (const auto& param : section.params) {
      INFO(section.name << "." << param.name);
      CHECK(!param.doc.empty());
      if (param.default_value) CHECK(!check_value(param, *param.default_value));
    }
}

TEST_CASE("values are written as the TOML that reads back the same") {
  const std::vector<Value> values = {true,
                                     std::int64_t{-3},
                                     0.1,
                                     1e-7,
                                     1e300,
                                     5.0,
                                     std::string("a\"b\\c\n\t\x01é"),
                                     std::vector<bool>{true, false},
                                     std::vector<std::int64_t>{1, 2},
                                     std::vector<double>{0.5},
                                     std::vector<std::string>{"x", ""}};
  const std::vector<Type> types = {Type::boolean,  Type::integer, Type::real,   Type::real,
                                   Type::real,     Type::real,    Type::string, Type::booleans,
                                   Type::integers, Type::reals,   Type::strings};
  for (std::size_t i = 0; i < values.size(); ++i) {
    INFO(to_toml(values[i]));
    const Checked back = check(spec(types[i]), to_toml(values[i]));
    REQUIRE(back.value);
    CHECK(*back.value == values[i]);
  }
  CHECK(to_toml(Value(std::vector<double>{1, 0.25})) == "[1.0, 0.25]");
}
