// Reading TOML: what is kept, and what is refused before the parser sees it.

#include "config/document.h"

#include "base/error.h"
#include "tests/catch.h"

using namespace bcx;
using namespace bcx::config;

namespace {

std::string refusal(const std::string& text) {
  try {
    parse_document(text, "x.toml");
    return {};
  } catch (const Error& error) {
    CHECK(error.code() == ExitCode::usage);
    return error.what();
  }
}

std::string repeated(const std::string& text, int count) {
  std::string out;
  for (int i = 0; i < count; ++i) out += text;
  return out;
}

}  // namespace

TEST_CASE("a document keeps the order and the place of everything") {
  const Node root =
      parse_document("zeta = 1\n[b]\nlist = [1.5,\n  \"é\", 2]\n[a]\nday = 2024-01-31\n", "f.toml");
  REQUIRE(root.entries.size() == 3);
  CHECK(root.entries[0].key == "zeta");
  CHECK(root.entries[1].key == "b");
  CHECK(root.entries[1].value.origin.text() == "f.toml:2:1");
  const Node& list = *root.find("b")->find("list");
  CHECK(list.origin.text() == "f.toml:3:8");
  CHECK(list.items[0].origin.text() == "f.toml:3:9");
  CHECK(list.items[1].origin.text() == "f.toml:4:3");
  CHECK(list.items[2].origin.text() == "f.toml:4:8");
  CHECK(root.find("a")->find("day")->kind == Node::Kind::date);
  CHECK(root.find("a")->find("day")->text == "2024-01-31");
}

TEST_CASE("a copy of a node keeps its places") {
  const Node root = parse_document("[a]\nb = [{c = 1}]\n", "f.toml");
  const Node copy = root;
  CHECK(copy.find("a")->find("b")->items[0].find("c")->origin.text() == "f.toml:2:11");
}

TEST_CASE("syntax errors say where") {
  CHECK(refusal("a = 1\nb = = 2\n").rfind("x.toml:2:5: not TOML: ", 0) == 0);
  CHECK(refusal("a = 1\na = 2\n").rfind("x.toml:2:", 0) == 0);
  CHECK(refusal("a = \"\xff\"\n").rfind("x.toml:1:", 0) == 0);
  CHECK(refusal(std::string("a = \"\0\"", 7)).rfind("x.toml:1:", 0) == 0);
}

TEST_CASE("hostile documents are refused before they are parsed") {
  CHECK(refusal("a = " + repeated("[", 100'000)) ==
        "x.toml:1:37: brackets nested more than 32 deep");
  CHECK(refusal("a = " + repeated("{a = ", 50'000)) ==
        "x.toml:1:165: brackets nested more than 32 deep");
  CHECK(refusal(repeated("a.", 400'000) + "a = 1") ==
        "x.toml:1:64: a dotted key of more than 32 parts");
  CHECK(refusal("[" + repeated("a.", 400'000) + "a]") ==
        "x.toml:1:65: a dotted key of more than 32 parts");
  CHECK(refusal("[a]\nn = " + repeated("9", 65)) == "x.toml:2:69: a number of more than 64 digits");
  CHECK(refusal(repeated("a\n", 600'000)) ==
        "x.toml: larger than 1.05 MB; an experiment file is a page of text");
  std::string keys;
  for (int i = 0; i < 10'001; ++i) keys += "k" + std::to_string(i) + "=1\n";
  CHECK(refusal(keys) == "x.toml:10001:7: more than 10,000 keys");
  CHECK(refusal("a = [" + repeated("1,", 100'001) + "]") ==
        "x.toml:1:200007: more than 100,000 values in lists");
}

TEST_CASE("brackets and dots in strings and comments do not count") {
  const std::string many = repeated("[.", 100);
  CHECK(refusal("a = \"" + many + "\\\"" + many + "\" # " + many + "\n") == "");
  CHECK(refusal("a = '" + many + "'\nb = \"\"\"\n" + many + "\n\"\"\"\nc = '''" + many + "'''\n") ==
        "");
  CHECK(refusal("a = [" + repeated("[1.5, 2.5], ", 100) + "]") == "");
}

TEST_CASE("mutated documents end in a tree or an error") {
  const std::string seed =
      "[a.b]\nk = \"v\\u0041\" # c\nl = [1, 2.5e3, 0x1F, nan]\n[[c]]\nd = {e = "
      "1979-05-27T07:32:00Z}\n";
  std::uint64_t state = 1;
  const auto next = [&] {
    return (state = state * 6364136223846793005ull + 1442695040888963407ull) >> 33;
  };
  int good = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string text = seed;
    for (int edits = static_cast<int>(next() % 4); edits >= 0; --edits) {
      const std::size_t at = next() % text.size();
      switch (next() % 3) {
        case 0:
          text[at] = static_cast<char>(next() % 256);
          break;
        case 1:
          text.erase(at, 1 + next() % 5);
          break;
        default:
          text.insert(at, text.substr(next() % text.size(), next() % 12));
      }
      if (text.empty()) text = "x";
    }
    try {
      parse_document(text, "x");
      ++good;
    } catch (const Error&) {
    }
  }
  CHECK(good > 100);
  CHECK(good < 19'900);
}
