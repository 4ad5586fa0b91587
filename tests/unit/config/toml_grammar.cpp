// The corners of TOML 1.0.0's grammar: what is right has the value that the specification gives it,
// what is wrong is refused at its line. True for every toml++ that bcx is built with (3.3, 3.4).
//
// Sections in the names are those of https://toml.io/en/v1.0.0.

#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"
#include "config/document.h"
#include "tests/catch.h"

using namespace bcx;
using namespace bcx::config;
using namespace std::string_literals;

namespace {

/// A tree in one line: `{a = 1, b = ["x", 2.0]}`; control characters are made visible.
std::string shown(const Node& node) {
  std::vector<std::string> parts;
  switch (node.kind) {
    case Node::Kind::boolean:
      return node.boolean ? "true" : "false";
    case Node::Kind::integer:
      return std::to_string(node.integer);
    case Node::Kind::real:
      return shortest(node.real);
    case Node::Kind::string:
      return "\"" + printable(node.text) + "\"";
    case Node::Kind::date:
      return node.text;
    case Node::Kind::list:
      for (const auto& item : node.items) parts.push_back(shown(item));
      return "[" + join(parts, ", ") + "]";
    case Node::Kind::table:
      for (const auto& entry : node.entries)
        parts.push_back(printable(entry.key) + " = " + shown(entry.value));
      return "{" + join(parts, ", ") + "}";
  }
  return {};
}

struct Right {
  const char* name;
  std::string text, tree;
};

struct Wrong {
  const char* name;
  std::string text;
  int line = 1;
};

/// The tree, or where and what is wrong: `x.toml:2:5: not TOML: ...`.
std::string outcome(const std::string& text) {
  try {
    return shown(parse_document(text, "x.toml"));
  } catch (const Error& error) {
    CHECK(error.code() == ExitCode::usage);
    return error.what();
  }
}

void check(const std::vector<Right>& cases) {
  for (const auto& one : cases) {
    INFO(one.name);
    CHECK(outcome(one.text) == one.tree);
  }
}

void check(const std::vector<Wrong>& cases) {
  for (const auto& one : cases) {
    INFO(one.name << ": " << printable(one.text.substr(0, 200)));
    const auto error = outcome(one.text), place = fmt::format("x.toml:{}:", one.line);
    CHECK(error.substr(0, place.size()) == place);
    CHECK(printable(error) == error);
  }
}

std::string repeated(std::string_view text, int count) {
  std::string out;
  for (int i = 0; i < count; ++i) out += text;
  return out;
}

/// Values that are wrong wherever they stand: `a = VALUE`, in a list and in an inline table.
void check_wrong_values(const std::vector<std::string>& values) {
  std::vector<Wrong> cases;
  for (const auto& value : values) {
    cases.push_back({value.c_str(), "ok = 1\na = " + value + "\n", 2});
    cases.push_back({value.c_str(), "a = [" + value + "]\n", 1});
    cases.push_back({value.c_str(), "a = {b = " + value + "}\n", 1});
  }
  check(cases);
}

}  // namespace

TEST_CASE("TOML: documents, comments and ends of lines") {
  check({
      Right{"nothing", "", "{}"},
      Right{"blanks alone", " \t \n\n \r\n", "{}"},
      Right{"a comment alone", "# a = 1", "{}"},
      Right{"a comment without a line end", "a = 1 # b = 2", "{a = 1}"},
      Right{"an empty comment", "#\na = 1", "{a = 1}"},
      Right{"a comment with a tab and UTF-8", "# \té漢\na = 1", "{a = 1}"},
      Right{"no line end at the end", "a = 1", "{a = 1}"},
      Right{"CRLF", "a = 1\r\nb = 2\r\n", "{a = 1, b = 2}"},
      Right{"a byte order mark", "\xEF\xBB\xBF"s + "a = 1", "{a = 1}"},
      Right{"blanks around everything", " \t a \t = \t 1 \t ", "{a = 1}"},
      Right{"no blanks", "a=1", "{a = 1}"},
      Right{"a hash in a string", "a = \"#\" # \"", "{a = \"#\"}"},
  });
  check({
      Wrong{"two keys on a line", "a = 1 b = 2"},
      Wrong{"a key without a value", "ok = 1\na =\n", 2},
      Wrong{"a key without anything", "ok = 1\na\n", 2},
      Wrong{"a value without a key", "= 1"},
      Wrong{"a value on the next line", "a =\n1", 1},
      Wrong{"a key on the line before", "a\n= 1", 1},
      Wrong{"text after a value", "a = 1 x"},
      Wrong{"text after a header", "[a] b = 1"},
      Wrong{"a carriage return alone", "a = 1\rb = 2"},
      Wrong{"a carriage return at the end", "ok = 1\na = 1\r", 2},
      Wrong{"a NUL between lines", "a = 1\n\0b = 2"s, 2},
      Wrong{"a NUL in a comment", "ok = 1\n# \0\n"s, 2},
      Wrong{"DEL in a comment", "ok = 1\n# \x7f\n", 2},
      Wrong{"an escape character in a comment", "ok = 1\n# \x1b[2J\n", 2},
      Wrong{"a carriage return in a comment", "ok = 1\n# a\rb\n", 2},
      Wrong{"malformed UTF-8 in a comment", "ok = 1\n# \xff\n", 2},
      Wrong{"a form feed between lines", "a = 1\n\fb = 2", 2},
      Wrong{"a vertical tab between lines", "a = 1\n\vb = 2", 2},
      Wrong{"a byte order mark in the middle", "a = 1\n\xEF\xBB\xBF"s + "b = 2", 2},
      Wrong{"UTF-16", "\xFF\xFE"s + "a\0=\0"s + "1\0"s},
      Wrong{"half a byte order mark", "\xEF\xBB"s + "a = 1"},
  });
}

TEST_CASE("TOML: keys") {
  check({
      Right{"bare: letters, digits, dash, underscore", "aZ0-_ = 1", "{aZ0-_ = 1}"},
      Right{"digits alone", "1234 = 1", "{1234 = 1}"},
      Right{"looks like a date", "2024-01-01 = 1", "{2024-01-01 = 1}"},
      Right{"looks like a float", "1.5 = 1", "{1 = {5 = 1}}"},
      Right{"looks like a word", "true = 1\ninf = 2\nnan = 3", "{true = 1, inf = 2, nan = 3}"},
      Right{"begins with a dash", "- = 1\n-a = 2", "{- = 1, -a = 2}"},
      Right{"quoted", "\"a b\" = 1", "{a b = 1}"},
      Right{"quoted with escapes", R"("\u0061\t\"" = 1)", "{a\\t\" = 1}"},
      Right{"literal", R"('a\n' = 1)", "{a\\n = 1}"},
      Right{"empty", "\"\" = 1", "{ = 1}"},
      Right{"quoted with dots", "\"a.b\" = 1", "{a.b = 1}"},
      Right{"quoted with UTF-8", "\"é漢\" = 1", "{é漢 = 1}"},
      Right{"dotted", "a.b.c = 1", "{a = {b = {c = 1}}}"},
      Right{"dotted with blanks", "a . b\t.\tc = 1", "{a = {b = {c = 1}}}"},
      Right{"dotted with quotes", R"(a."b.c".'d' = 1)", "{a = {b.c = {d = 1}}}"},
      Right{"dotted twice", "a.b = 1\na.c = 2", "{a = {b = 1, c = 2}}"},
      Right{"dotted out of order", "a.x = 1\nb.x = 2\na.y = 3",
            "{a = {x = 1, y = 3}, b = {x = 2}}"},
      Right{"dotted below a header", "[t]\na.b = 1\na.c = 2", "{t = {a = {b = 1, c = 2}}}"},
      Right{"different quotes are the same key's quotes", "'a' = 1\n\"b\" = 2", "{a = 1, b = 2}"},
      Right{"case matters", "a = 1\nA = 2", "{a = 1, A = 2}"},
  });
  check({
      Wrong{"a blank in a bare key", "a b = 1"},
      Wrong{"a colon", "a: 1"},
      Wrong{"a plus", "+a = 1"},
      Wrong{"an exclamation mark", "a! = 1"},
      Wrong{"a bare letter outside ASCII", "é = 1"},
      Wrong{"a bare letter outside ASCII, dotted", "a.é = 1"},
      Wrong{"a blank outside ASCII", "\u00A0a = 1"},
      Wrong{"a letter outside ASCII behind a key", "aé = 1"},
      Wrong{"a letter outside ASCII for a value", "a = é"},
      Wrong{"a letter outside ASCII behind a value", "a = 1é"},
      Wrong{"a letter outside ASCII in a list", "a = [1, é]"},
      Wrong{"an Arabic form in front of a header", "\uFEBF[a]"},
      Wrong{"a dot first", ".a = 1"},
      Wrong{"a dot last", "a. = 1"},
      Wrong{"two dots", "a..b = 1"},
      Wrong{"a quoted key not closed", "\"a = 1"},
      Wrong{"a literal key not closed", "'a = 1"},
      Wrong{"a line end in a quoted key", "\"a\nb\" = 1"},
      Wrong{"a multi-line key", "\"\"\"a\"\"\" = 1"},
      Wrong{"a multi-line literal key", "'''a''' = 1"},
      Wrong{"text after a quoted key", "\"a\"b = 1"},
      Wrong{"an unknown escape in a key", R"("\q" = 1)"},
      Wrong{"twice", "a = 1\na = 2", 2},
      Wrong{"twice, once quoted", "a = 1\n\"a\" = 2", 2},
      Wrong{"twice by an escape", "a = 1\n\"\\u0061\" = 2", 2},
      Wrong{"twice, dotted", "a.b = 1\na.b = 2", 2},
      Wrong{"a value, then a table by dots", "a = 1\na.b = 2", 2},
      Wrong{"a table by dots, then a value", "a.b = 1\na = 2", 2},
      Wrong{"a string, then a table by dots", "a.b = \"x\"\na.b.c = 2", 2},
      Wrong{"a list, then a table by dots", "a = []\na.b = 2", 2},
      Wrong{"an equals sign too many", "a == 1"},
      Wrong{"a list for a key", "[a, b] = 1"},
  });
}

TEST_CASE("TOML: strings in double quotes") {
  check({
      Right{"empty", "a = \"\"", "{a = \"\"}"},
      Right{"every short escape", R"(a = "\b\t\n\f\r\"\\")", R"({a = "\x08\t\n\x0c\x0d"\"})"},
      Right{"four digits", R"(a = "\u00E9\u6f22")", "{a = \"é漢\"}"},
      Right{"eight digits", R"(a = "\U0001F52C\U0010FFFF")", "{a = \"🔬\U0010FFFF\"}"},
      Right{"an escaped NUL is text", R"(a = "x\u0000y")", "{a = \"x\\x00y\"}"},
      Right{"a tab", "a = \"x\ty\"", "{a = \"x\\ty\"}"},
      Right{"single quotes inside", "a = \"'''\"", "{a = \"'''\"}"},
      Right{"a backslash at the end", R"(a = "\\")", R"({a = "\"})"},
      Right{"just below the surrogates", R"(a = "\uD7FF\uE000")", "{a = \"\uD7FF\uE000\"}"},
  });
  check({
      Wrong{"not closed", "a = \"x"},
      Wrong{"not closed, a line later", "ok = 1\na = \"x\nb = 2", 2},
      Wrong{"closed by the other quote", "a = \"x'"},
      Wrong{"closed by an escaped quote", R"(a = "x\")"},
      Wrong{"an unknown escape", R"(a = "\q")"},
      Wrong{"an escaped blank", R"(a = "\ ")"},
      Wrong{"an escaped slash", R"(a = "\/")"},
      Wrong{"an escaped single quote", R"(a = "\'")"},
      Wrong{"an upper-case escape", R"(a = "\N")"},
      Wrong{"an octal escape", R"(a = "\012")"},
      Wrong{"three digits", R"(a = "\u006")"},
      Wrong{"seven digits", R"(a = "\U0000006")"},
      Wrong{"no digits", R"(a = "\u")"},
      Wrong{"letters that are no digits", R"(a = "\u00GG")"},
      Wrong{"the first surrogate", R"(a = "\uD800")"},
      Wrong{"the last surrogate", R"(a = "\uDFFF")"},
      Wrong{"a pair of surrogates", R"(a = "\uD83D\uDD2C")"},
      Wrong{"beyond Unicode", R"(a = "\U00110000")"},
      Wrong{"far beyond Unicode", R"(a = "\UFFFFFFFF")"},
      Wrong{"a NUL", "a = \"\0\""s},
      Wrong{"an escape character", "a = \"\x1b[2J\""},
      Wrong{"DEL", "a = \"\x7f\""},
      Wrong{"a carriage return", "a = \"x\ry\""},
      Wrong{"a byte that begins nothing", "a = \"\x80\""},
      Wrong{"a sequence cut short", "a = \"\xe6\xbc\""},
      Wrong{"an overlong slash", "a = \"\xc0\xaf\""},
      Wrong{"a surrogate in UTF-8", "a = \"\xed\xa0\x80\""},
      Wrong{"beyond Unicode in UTF-8", "a = \"\xf4\x90\x80\x80\""},
      Wrong{"five bytes", "a = \"\xf8\x88\x80\x80\x80\""},
  });
}

TEST_CASE("TOML: strings over several lines, and literal ones") {
  check({
      Right{"the first line end is dropped", "a = \"\"\"\nx\"\"\"", "{a = \"x\"}"},
      Right{"others stay", "a = \"\"\"x\n\ny\"\"\"", "{a = \"x\\n\\ny\"}"},
      Right{"a backslash joins lines", "a = \"\"\"x\\\n   y\"\"\"", "{a = \"xy\"}"},
      Right{"over empty lines", "a = \"\"\"x \\\n\n  \t\n y\"\"\"", "{a = \"x y\"}"},
      Right{"before a letter outside ASCII", "a = \"\"\"x\\\n é\"\"\"", "{a = \"xé\"}"},
      Right{"and blanks behind it", "a = \"\"\"x\\  \n  y\"\"\"", "{a = \"xy\"}"},
      Right{"one quote inside", "a = \"\"\"x\"y\"\"\"", "{a = \"x\"y\"}"},
      Right{"two quotes inside", "a = \"\"\"x\"\"y\"\"\"", "{a = \"x\"\"y\"}"},
      Right{"one quote at the end", "a = \"\"\"x\"\"\"\"", "{a = \"x\"\"}"},
      Right{"two quotes at the end", "a = \"\"\"x\"\"\"\"\"", "{a = \"x\"\"\"}"},
      Right{"an escaped quote among three", "a = \"\"\"x\\\"\"\"y\"\"\"", "{a = \"x\"\"\"y\"}"},
      Right{"empty", "a = \"\"\"\"\"\"", "{a = \"\"}"},
      Right{"two quotes alone", "a = \"\"\"\"\"\"\"\"", "{a = \"\"\"\"}"},
      Right{"with CRLF", "a = \"\"\"\r\nx\r\n\"\"\"\r\nb = 1", "{a = \"x\\n\", b = 1}"},
      Right{"a literal one", R"(a = 'C:\no\tescapes')", R"({a = "C:\no\tescapes"})"},
      Right{"an empty literal one", "a = ''", "{a = \"\"}"},
      Right{"a literal one with double quotes", "a = '\"'", "{a = \"\"\"}"},
      Right{"a literal one over lines", "a = '''\nx\n'y'\n'''", "{a = \"x\\n'y'\\n\"}"},
      Right{"two single quotes at its end", "a = '''x'''''", "{a = \"x''\"}"},
      Right{"a backslash in it joins nothing", "a = '''x\\\ny'''", "{a = \"x\\\\ny\"}"},
  });
  check({
      Wrong{"not closed", "a = \"\"\"x", 1},
      Wrong{"closed by two quotes", "a = \"\"\"x\"\"", 1},
      Wrong{"three quotes too many", "a = \"\"\"x\"\"\"\"\"\"", 1},
      Wrong{"text behind", "a = \"\"\"x\"\"\" y", 1},
      Wrong{"an unknown escape", "a = \"\"\"\n\\q\"\"\"", 2},
      Wrong{"an escaped letter outside ASCII", "a = \"\"\"\\é\"\"\""},
      Wrong{"a backslash before blanks and text", "a = \"\"\"x\\  y\"\"\"", 1},
      Wrong{"a backslash at the end of everything", "a = \"\"\"x\\", 1},
      Wrong{"a NUL", "a = \"\"\"\n\0\"\"\""s, 2},
      Wrong{"a carriage return alone", "a = \"\"\"x\ry\"\"\"", 1},
      Wrong{"malformed UTF-8", "a = \"\"\"\xff\"\"\"", 1},
      Wrong{"a literal one not closed", "a = 'x", 1},
      Wrong{"a line end in a literal one", "a = 'x\ny'", 1},
      Wrong{"a quote in a literal one", "a = 'x'y'", 1},
      Wrong{"a control character in a literal one", "a = 'x\x01'", 1},
      Wrong{"a literal one over lines, not closed", "a = '''x\n", 1},
      Wrong{"three single quotes too many", "a = '''x''''''", 1},
      Wrong{"a NUL in a literal one over lines", "a = '''\n\0'''"s, 2},
      Wrong{"a bare word", "a = word", 1},
  });
}

TEST_CASE("TOML: whole numbers") {
  check({
      Right{"zero and signs", "a = [0, +0, -0, +7, -7]", "{a = [0, 0, 0, 7, -7]}"},
      Right{"underscores", "a = [1_000, 1_2_3]", "{a = [1000, 123]}"},
      Right{"hexadecimal", "a = [0xDEADbeef, 0x00FF, 0xdead_beef]",
            "{a = [3735928559, 255, 3735928559]}"},
      Right{"octal", "a = [0o755, 0o0_7]", "{a = [493, 7]}"},
      Right{"binary", "a = [0b1101, 0b0000_0001]", "{a = [13, 1]}"},
      Right{"the largest", "a = 9223372036854775807", "{a = 9223372036854775807}"},
      Right{"the smallest", "a = -9223372036854775808", "{a = -9223372036854775808}"},
      Right{"the largest in hexadecimal", "a = 0x7FFFFFFFFFFFFFFF", "{a = 9223372036854775807}"},
  });
  check_wrong_values({
      "01",
      "-01",
      "+01",
      "00",
      "1__0",
      "_1",
      "1_",
      "1_000_",
      "+_1",
      "++1",
      "--1",
      "+-1",
      "+",
      "-",
      "0x",
      "0xG",
      "0x_1",
      "0x1_",
      "+0x1",
      "-0xFF",
      "0X1",
      "0o8",
      "0o",
      "0O7",
      "+0o7",
      "0b2",
      "0b",
      "0B1",
      "-0b1",
      "0b1__0",
      "1a",
      "1 2",
      "0x1.5",
      "9223372036854775808",
      "-9223372036854775809",
      "99999999999999999999999999",
      "0xFFFFFFFFFFFFFFFFF",
  });
}

TEST_CASE("TOML: floats, booleans and words") {
  check({
      Right{"fractions", "a = [1.0, -0.5, +3.14]", "{a = [1.0, -0.5, 3.14]}"},
      Right{"exponents", "a = [5e+22, 1e06, -2E-2, 6.626e-34]",
            "{a = [5e+22, 1000000.0, -0.02, 6.626e-34]}"},
      Right{"an exponent with zeros in front", "a = 1e005", "{a = 100000.0}"},
      Right{"underscores", "a = 1_000.000_1", "{a = 1000.0001}"},
      Right{"zeros", "a = [0.0, -0.0, 0e0]", "{a = [0.0, -0.0, 0.0]}"},
      Right{"infinity", "a = [inf, +inf, -inf]", "{a = [inf, inf, -inf]}"},
      Right{"not a number", "a = nan", "{a = nan}"},
      Right{"the largest", "a = 1.7976931348623157e308", "{a = 1.7976931348623157e+308}"},
      Right{"the smallest", "a = 5e-324", "{a = 5e-324}"},
      Right{"true and false", "a = [true, false]", "{a = [true, false]}"},
  });
  check_wrong_values({
      ".5",  "5.",    "+.5",  "1.e5",  ".",     "1._5",  "1_.5",  "1.5_",  "1e",    "1e+",
      "e5",  "1e_5",  "1e5_", "1.5.5", "1e5.5", "1e1e1", "01.5",  "-01.5", "1.5f",  "Inf",
      "INF", "infin", "NaN",  "NAN",   "++inf", "+ inf", "0x1p3", "True",  "FALSE", "truer",
      "tru", "yes",   "null", "none",  "t",     "1e1_",  "0_.1",  "1.0e",  "inf_",
  });
}

TEST_CASE("TOML: dates and times") {
  check({
      Right{"with UTC", "a = 1979-05-27T07:32:00Z", "{a = 1979-05-27T07:32:00Z}"},
      Right{"with an offset", "a = 1979-05-27T00:32:00-07:00", "{a = 1979-05-27T00:32:00-07:00}"},
      Right{"with a fraction", "a = 1979-05-27T00:32:00.5", "{a = 1979-05-27T00:32:00.5}"},
      Right{"with a blank", "a = 1979-05-27 07:32:00", "{a = 1979-05-27T07:32:00}"},
      Right{"a date", "a = 1979-05-27", "{a = 1979-05-27}"},
      Right{"a time", "a = 07:32:00", "{a = 07:32:00}"},
      Right{"a leap day", "a = [2024-02-29, 2000-02-29]", "{a = [2024-02-29, 2000-02-29]}"},
      Right{"a date before a comment", "a = 1979-05-27 # day", "{a = 1979-05-27}"},
  });
  check_wrong_values({
      "1979-13-01",
      "1979-00-01",
      "1979-01-32",
      "1979-01-00",
      "2023-02-29",
      "1900-02-29",
      "1979-04-31",
      "79-05-27",
      "1979-5-27",
      "1979-05-7",
      "1979/05/27",
      "19790527T073200",
      "24:00:00",
      "07:60:00",
      "07:32",
      "7:32:00",
      "07:32:",
      "07:32:00.",
      "1979-05-27T",
      "1979-05-27T07",
      "1979-05-27T24:00:00",
      "1979-05-27T07:32:00+25:00",
      "1979-05-27T07:32:00+07:60",
      "1979-05-27T07:32:00+7:00",
      "1979-05-27T07:32:00+",
      "1979-05-27T07:32:00ZZ",
      "1979-05-27X07:32:00",
      "-1979-05-27",
      "1979-05-27-",
  });
}

TEST_CASE("TOML: lists") {
  check({
      Right{"empty", "a = []", "{a = []}"},
      Right{"of mixed types", "a = [1, \"x\", 2.5, true, [], {}]",
            "{a = [1, \"x\", 2.5, true, [], {}]}"},
      Right{"over lines with comments", "a = [ # one\n 1, # two\n\n 2 # three\n , \n]",
            "{a = [1, 2]}"},
      Right{"a comma at the end", "a = [1, 2,]", "{a = [1, 2]}"},
      Right{"nested", "a = [[1], [[2]], []]", "{a = [[1], [[2]], []]}"},
      Right{"brackets in strings", "a = [\"]\", '[', \"\"\"]\"\"\"]",
            "{a = [\"]\", \"[\", \"]\"]}"},
      Right{"strings that end in quotes", "a = [\"\"\"x\"\"\"\", '''y''''']",
            "{a = [\"x\"\", \"y''\"]}"},
  });
  check({
      Wrong{"not closed", "a = [1, 2", 1},
      Wrong{"not closed, a key follows", "a = [1\nb = 2", 2},
      Wrong{"closed by the other bracket", "a = [1}", 1},
      Wrong{"a comma alone", "a = [,]", 1},
      Wrong{"two commas", "a = [1,,2]", 1},
      Wrong{"a comma first", "a = [,1]", 1},
      Wrong{"no comma", "a = [1 2]", 1},
      Wrong{"a bracket too many", "a = [1]]", 1},
      Wrong{"text behind", "a = [1] 2", 1},
      Wrong{"a key inside", "a = [b = 1]", 1},
      Wrong{"a comment that hides the end", "a = [1 #]", 1},
  });
}

TEST_CASE("TOML: tables") {
  check({
      Right{"empty", "[a]", "{a = {}}"},
      Right{"nested", "[a.b]\nx = 1\n[a]\ny = 2", "{a = {b = {x = 1}, y = 2}}"},
      Right{"blanks in the header", "[ a . b ]\nx = 1", "{a = {b = {x = 1}}}"},
      Right{"quoted in the header", "[a.\"b.c\".'d']\nx = 1", "{a = {b.c = {d = {x = 1}}}}"},
      Right{"a comment behind the header", "[a] # b\nx = 1", "{a = {x = 1}}"},
      Right{"out of order", "[a.x]\n[b]\n[a.y]", "{a = {x = {}, y = {}}, b = {}}"},
      Right{"a header beside dots", "[a]\nb.c = 1\n[a.d]\nx = 2",
            "{a = {b = {c = 1}, d = {x = 2}}}"},
      Right{"a list of tables", "[[a]]\nx = 1\n[[a]]\n[[a]]\nx = 3",
            "{a = [{x = 1}, {}, {x = 3}]}"},
      Right{"a table below one of a list", "[[a]]\n[a.b]\nx = 1\n[[a]]\n[a.b]\nx = 2",
            "{a = [{b = {x = 1}}, {b = {x = 2}}]}"},
      Right{"a list below one of a list", "[[a]]\n[[a.b]]\nx = 1\n[[a.b]]\nx = 2",
            "{a = [{b = [{x = 1}, {x = 2}]}]}"},
      Right{"an inline one", "a = {x = 1, y.z = 2, \"w\" = []}",
            "{a = {x = 1, y = {z = 2}, w = []}}"},
      Right{"an empty inline one", "a = {  }", "{a = {}}"},
      Right{"inline ones in a list", "a = [{x = 1}, {x = 2}]", "{a = [{x = 1}, {x = 2}]}"},
      Right{"a list over lines inside an inline one", "a = {x = [\n1\n]}", "{a = {x = [1]}}"},
  });
  check({
      Wrong{"an empty header", "[]", 1},
      Wrong{"an empty list header", "[[]]", 1},
      Wrong{"not closed", "[a", 1},
      Wrong{"not closed, a key follows", "[a\nb = 1", 1},
      Wrong{"a list header closed by one", "[[a]\nb = 1", 1},
      Wrong{"a header closed by two", "[a]]", 1},
      Wrong{"a blank between the brackets", "[ [a]]", 1},
      Wrong{"a blank between the closing ones", "[[a] ]", 1},
      Wrong{"an empty part", "[a..b]", 1},
      Wrong{"a dot last", "[a.]", 1},
      Wrong{"a dot first", "[.a]", 1},
      Wrong{"a dot first in a list header", "[[.a]]", 1},
      Wrong{"a line end for a name", "[\n]", 1},
      Wrong{"a letter outside ASCII for a name", "[é]", 1},
      Wrong{"two words", "[a b]", 1},
      Wrong{"a value in a header", "[a = 1]", 1},
      Wrong{"twice", "[a]\n[a]", 2},
      Wrong{"twice, with another between", "[a]\n[b]\n[a]", 3},
      Wrong{"a header for a value", "a = 1\n[a]", 2},
      Wrong{"a header below a value", "[a]\nb = 1\n[a.b]", 3},
      Wrong{"a header for what dots made", "[a]\nb.c = 1\n[a.b]", 3},
      Wrong{"a list header for a table", "[a]\n[[a]]", 2},
      Wrong{"a header for a list of tables", "[[a]]\n[a]", 2},
      Wrong{"a list header for a list", "a = []\n[[a]]", 2},
      Wrong{"a list header below a list", "a = [{}]\n[[a.b]]", 2},
      Wrong{"a list header for a table made on the way", "[a.b]\n[[a]]", 2},
      Wrong{"a key that a header below has taken", "[a.b]\n[a]\nb = 1", 3},
      Wrong{"dots into a table with a header", "[a.b.c]\nz = 9\n[a]\nb.c.t = 1", 4},
      Wrong{"dots into a list of tables", "[[a.b]]\n[a]\nb.y = 2", 3},
      Wrong{"an inline one not closed", "a = {x = 1", 1},
      Wrong{"an inline one over lines", "a = {x = 1,\ny = 2}", 1},
      Wrong{"a comma at its end", "a = {x = 1,}", 1},
      Wrong{"a comma alone in it", "a = {,}", 1},
      Wrong{"two commas in it", "a = {x = 1,, y = 2}", 1},
      Wrong{"no comma in it", "a = {x = 1 y = 2}", 1},
      Wrong{"a key twice in it", "a = {x = 1, x = 2}", 1},
      Wrong{"a key without a value in it", "a = {x}", 1},
      Wrong{"a comment in it", "a = {x = 1 # y\n}", 1},
      Wrong{"added to by a header", "a = {x = 1}\n[a.b]", 2},
      Wrong{"added to by dots", "a = {x = 1}\na.y = 2", 2},
      Wrong{"added to by its own dots", "a = {x = {y = 1}, x.z = 2}", 1},
      Wrong{"replaced by a header", "a = {}\n[a]", 2},
      Wrong{"replaced by a list header", "a = {}\n[[a]]", 2},
      Wrong{"a brace too many", "a = {}}", 1},
  });
}

TEST_CASE("TOML: what would be deep or large is refused wherever it hides") {
  const std::string dots = repeated("a.", 200'000) + "a";
  const std::string brackets = repeated("[", 100'000);
  check({
      // Strings over lines may end in four or five quotes: what follows is no string.
      Wrong{"dots behind four quotes", "x = [\"\"\"y\"\"\"\", {" + dots + " = 1}]"},
      Wrong{"dots behind five quotes", "x = [\"\"\"y\"\"\"\"\", {" + dots + " = 1}]"},
      Wrong{"dots behind four single quotes", "x = ['''y'''', {" + dots + " = 1}]"},
      Wrong{"brackets behind four quotes", "x = [\"\"\"y\"\"\"\", " + brackets + "]"},
      Wrong{"dots behind an escaped backslash", "x = [\"\\\\\", {" + dots + " = 1}]"},
      Wrong{"dots behind a literal backslash", "x = ['\\', {" + dots + " = 1}]"},
      Wrong{"dots behind a quote in a comment", "# \"\n" + dots + " = 1", 2},
      Wrong{"dots behind a hash in a string", "x = [\"#\", {" + dots + " = 1}]"},
      Wrong{"dots with blanks", repeated("a . ", 100'000) + "a = 1"},
      Wrong{"dots between quotes", repeated("\"a\".", 100'000) + "a = 1"},
      Wrong{"dots between literal quotes", repeated("'a'.", 100'000) + "a = 1"},
      Wrong{"dots in a header", "ok = 1\n[" + dots + "]", 2},
      Wrong{"dots in a list header", "ok = 1\n[[" + dots + "]]", 2},
      Wrong{"dots in an inline table", "x = {" + dots + " = 1}"},
      Wrong{"brackets over lines", "x = " + repeated("[\n", 100'000), 33},
      Wrong{"braces", "x = " + repeated("{a = ", 100'000)},
      Wrong{"brackets and braces in turn", "x = " + repeated("[{a = ", 50'000)},
      Wrong{"a long number", "x = " + repeated("1", 100'000)},
      Wrong{"a long float", "x = 0." + repeated("1", 100'000)},
      Wrong{"a long exponent", "x = 1e" + repeated("1", 100'000)},
      Wrong{"a long hexadecimal", "x = 0x" + repeated("f", 100'000)},
      Wrong{"underscores without end", "x = 1" + repeated("_1", 100'000)},
      Wrong{"a long second's fraction", "x = 07:32:00." + repeated("9", 100'000)},
  });
}

TEST_CASE("TOML: what is long without being deep is read") {
  const std::string key(60'000, 'k'), text(900'000, 'x');
  check({
      Right{"a long key", key + " = 1", "{" + key + " = 1}"},
      Right{"a long string", "a = \"" + text + "\"", "{a = \"" + text + "\"}"},
      Right{"a long comment", "a = 1 #" + text, "{a = 1}"},
      Right{"a fraction of more digits than a double has",
            "a = 0.1000000000000000055511151231257827", "{a = 0.1}"},
      Right{"32 brackets", "a = " + repeated("[", 32) + repeated("]", 32),
            "{a = " + repeated("[", 32) + repeated("]", 32) + "}"},
  });
}
