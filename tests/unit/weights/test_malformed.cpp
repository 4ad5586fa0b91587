// Every way to break a safetensors file that the reader knows, with its message.

#include <fmt/format.h>
#include <sys/stat.h>

#include "base/error.h"
#include "raw_file.h"
#include "tests/catch.h"
#include "weights/safetensors.h"

using namespace bcx;
using namespace bcx::test;

namespace {

/// The message for a file of these bytes, without the path in front; "" when it is accepted.
std::string refusal(const std::string& bytes) {
  const TemporaryFolder folder;
  const auto path = folder / "w.safetensors";
  write_raw(path, bytes);
  try {
    weights::SafetensorsFile::open(path);
    return {};
  } catch (const Error& error) {
    CHECK(error.code() == ExitCode::data);
    const std::string text = error.what(), where = path.string() + ": ";
    REQUIRE(text.starts_with(where));
    return text.substr(where.size());
  }
}

/// A tensor's header entry.
std::string entry(const std::string& name, const std::string& dtype, const std::string& shape,
                  const std::string& offsets) {
  return fmt::format(R"("{}":{{"dtype":"{}","shape":{},"data_offsets":{}}})", name, dtype, shape,
                     offsets);
}

std::string repeated(int times, const std::string& text) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

std::string braces(const std::string& inside) {
  return "{" + inside + "}";
}

const std::string eight(8, '\0'), four(4, '\0');
const std::string good = entry("a", "F32", "[2]", "[0,8]");

struct Malformed {
  std::string name, bytes, message;
};

std::vector<Malformed> outside_the_header() {
  return {
      {"empty", "", "holds 0 bytes, a safetensors file has at least 10"},
      {"seven bytes", "1234567", "holds 7 bytes, a safetensors file has at least 10"},
      {"header longer than the file", length_prefix(100) + "{}",
       "says that its header takes 100 bytes, the file holds 2 after the first 8"},
      {"header of 2^64 - 1 bytes", length_prefix(~0ull) + "{}",
       "says that its header takes 18446744073709551615 bytes, at most 32000000 are allowed"},
      {"header over the limit", length_prefix(32'000'001) + "{}",
       "says that its header takes 32000001 bytes, at most 32000000 are allowed"},
      {"a zip checkpoint", std::string("PK\x03\x04") + std::string(60, 'x'),
       "says that its header takes 8680820738615364432 bytes, at most 32000000 are allowed; this "
       "looks like a "
       "PyTorch checkpoint: turn it into safetensors with `bcx weights convert`"},
      {"data cut short", raw_file(braces(good), four),
       "the tensors take 8 bytes, the file holds 4: it is cut short"},
      {"data left over", raw_file(braces(good), eight + "x"),
       "1 bytes after the last tensor belong to no tensor"},
      {"eight bytes and no header", length_prefix(0), "the header does not begin with \"{\""},
      {"header of 2^63 bytes", length_prefix(1ull << 63) + "{}",
       "says that its header takes 9223372036854775808 bytes, at most 32000000 are allowed"},
      {"a page of HTML", "<!DOCTYPE html><html>404</html>",
       "says that its header takes 5789751444030890300 bytes, at most 32000000 are allowed; "
       "expected "
       "a .safetensors file"},
      {"a Git LFS pointer", "version https://git-lfs.github.com/spec/v1\n",
       "says that its header takes 2336927755350992246 bytes, at most 32000000 are allowed; this "
       "is "
       "a Git LFS pointer: `git lfs pull` fetches the file itself"},
      {"data without tensors", raw_file("{}", "x"),
       "1 bytes after the last tensor belong to no tensor"},
  };
}

std::vector<Malformed> json_itself() {
  return {
      {"empty header", raw_file(""), "the header does not begin with \"{\""},
      {"blank before it", raw_file(" {}"), "the header does not begin with \"{\""},
      {"an array", raw_file("[]"), "the header does not begin with \"{\""},
      {"cut JSON", raw_file(R"({"a":{"dtype")"), "the header is not JSON at byte 14"},
      {"text behind it", raw_file("{}{}"), "the header is not JSON at byte 3"},
      {"zero padding", raw_file(std::string("{}\0\0", 4)), "the header is not JSON at byte 3"},
      {"malformed UTF-8", raw_file("{\"a\xff\":1}"), "the header is not JSON at byte 4"},
      {"a comma at the end", raw_file(R"({"a":{},})"), "tensor \"a\" lacks \"dtype\""},
      {"a name without quotes", raw_file("{a:1}"), "the header is not JSON at byte 2"},
      {"a name in single quotes", raw_file("{'a':1}"), "the header is not JSON at byte 2"},
      {"half a pair of surrogates", raw_file(R"({"\ud800":1})"),
       "the header is not JSON at byte 9"},
      {"a byte order mark", raw_file("\xEF\xBB\xBF{}"), "the header does not begin with \"{\""},
      {"a comment", raw_file("{/*x*/}"), "the header is not JSON at byte 2"},
      {"nesting", raw_file("{\"a\":" + std::string(100'000, '[')),
       "header entry \"a\" is an array, expected an object"},
      {"deep objects", raw_file(R"({"a":{"shape":{"b":{}}}})"),
       "tensor \"a\" has an object where the format has none"},
  };
}

std::vector<Malformed> members() {
  return {
      {"a tensor twice", raw_file(braces(good + "," + good), eight), "the header has \"a\" twice"},
      {"metadata twice", raw_file(R"({"__metadata__":{},"__metadata__":{}})"),
       "the header has \"__metadata__\" twice"},
      {"a metadata key twice", raw_file(R"({"__metadata__":{"k":"1","k":"2"}})"),
       "the metadata has \"k\" twice"},
      {"a metadata number", raw_file(R"({"__metadata__":{"k":1}})"),
       "metadata \"k\" is a number, expected text"},
      {"nested metadata", raw_file(R"({"__metadata__":{"k":{}}})"),
       "metadata \"k\" is an object, expected text"},
      {"metadata of null", raw_file(R"({"__metadata__":null})"),
       "header entry \"__metadata__\" is null, expected an object"},
      {"a tensor of text", raw_file(R"({"a":"F32"})"),
       "header entry \"a\" is a string, expected an object"},
      {"an unknown field", raw_file(R"({"a":{"dtype":"F32","stride":[1]}})"),
       "tensor \"a\" has the unknown field \"stride\""},
      {"a field twice", raw_file(R"({"a":{"dtype":"F32","dtype":"F64"}})"),
       "tensor \"a\" has \"dtype\" twice"},
      {"no type", raw_file(R"({"a":{"shape":[],"data_offsets":[0,4]}})", four),
       "tensor \"a\" lacks \"dtype\""},
      {"no shape", raw_file(R"({"a":{"dtype":"F32","data_offsets":[0,4]}})", four),
       "tensor \"a\" lacks \"shape\""},
      {"no offsets", raw_file(R"({"a":{"dtype":"F32","shape":[1]}})", four),
       "tensor \"a\" lacks \"data_offsets\""},
      {"control characters in a name", raw_file("{\"a\\u001b[2J\":1}"),
       "header entry \"a\\x1b[2J\" is a number, expected an object"},
  };
}

std::vector<Malformed> tensors() {
  const auto one = [](const std::string& dtype, const std::string& shape,
                      const std::string& offsets) {
    return raw_file(braces(entry("a", dtype, shape, offsets)), eight);
  };
  return {
      {"unknown type", one("F8_E4M3", "[8]", "[0,8]"),
       "tensor \"a\" has the unknown type \"F8_E4M3\""},
      {"lower-case type", one("f32", "[2]", "[0,8]"), "tensor \"a\" has the unknown type \"f32\""},
      {"negative extent", one("F32", "[-2]", "[0,8]"),
       "tensor \"a\" has -2 in its shape, expected a whole number from 0 to 2^63 - 1"},
      {"fraction", one("F32", "[2.0]", "[0,8]"),
       "tensor \"a\" has 2.0 in its shape, expected a whole number from 0 to 2^63 - 1"},
      {"extent of 2^63", one("F32", "[9223372036854775808]", "[0,8]"),
       "tensor \"a\" has 9223372036854775808 in its shape, expected a whole number from 0 to 2^63 "
       "- 1"},
      {"extent of 10^30", one("F32", "[1e30]", "[0,8]"),
       "tensor \"a\" has 1e30 in its shape, expected a whole number from 0 to 2^63 - 1"},
      {"product overflows", one("U8", "[4294967296,4294967296]", "[0,8]"),
       "tensor \"a\" is too large: shape [4294967296, 4294967296]"},
      {"bytes overflow", one("F64", "[2305843009213693952]", "[0,8]"),
       "tensor \"a\" is too large: shape [2305843009213693952]"},
      {"overflow hidden by a zero", one("F32", "[4294967296,4294967296,0]", "[0,0]"),
       "tensor \"a\" is too large: shape [4294967296, 4294967296, 0]"},
      {"nested shape", one("F32", "[[2]]", "[0,8]"),
       "tensor \"a\" has an array where the format has none"},
      {"shape of text", one("F32", "\"2\"", "[0,8]"),
       "tensor \"a\" has a string where the format has none"},
      {"65 dimensions", one("U8", "[1" + repeated(64, ",1") + "]", "[0,1]"),
       "tensor \"a\" has 65 dimensions, at most 64 are allowed"},
      {"one offset", one("F32", "[2]", "[8]"), "tensor \"a\" has 1 data_offsets, expected 2"},
      {"three offsets", one("F32", "[2]", "[0,8,8]"),
       "tensor \"a\" has 3 data_offsets, expected 2"},
      {"no offset", one("F32", "[2]", "[]"), "tensor \"a\" has 0 data_offsets, expected 2"},
      {"offset of 2^64", one("F32", "[2]", "[0,18446744073709551616]"),
       "tensor \"a\" has 18446744073709551616 in its data_offsets, expected a whole number from 0 "
       "to "
       "2^63 - 1"},
      {"not a number", one("F32", "[NaN]", "[0,8]"), "the header is not JSON at byte 30"},
      {"a boolean in the shape", one("F32", "[true]", "[0,8]"),
       "tensor \"a\" has a boolean where the format has none"},
      {"a null for the shape", one("F32", "null", "[0,8]"),
       "tensor \"a\" has null where the format has none"},
      {"a number for the type",
       raw_file(R"({"a":{"dtype":4,"shape":[2],"data_offsets":[0,8]}})", eight),
       "tensor \"a\" has a number where the format has none"},
      {"negative offset", one("F32", "[2]", "[-8,0]"),
       "tensor \"a\" has -8 in its data_offsets, expected a whole number from 0 to 2^63 - 1"},
      {"backwards", one("F32", "[2]", "[8,0]"), "tensor \"a\" ends at 0 before it begins at 8"},
      {"too few bytes", one("F32", "[3]", "[0,8]"), "tensor \"a\" takes 8 bytes, F32 [3] needs 12"},
      {"wrong type for its bytes", one("F64", "[2]", "[0,8]"),
       "tensor \"a\" takes 8 bytes, F64 [2] needs 16"},
  };
}

std::vector<Malformed> layouts() {
  const auto two = [](const std::string& first, const std::string& second,
                      const std::string& data) {
    return raw_file(
        braces(entry("a", "F32", "[1]", first) + "," + entry("b", "F32", "[1]", second)), data);
  };
  return {
      {"hole at the beginning", raw_file(braces(entry("a", "F32", "[1]", "[4,8]")), eight),
       "4 bytes before tensor \"a\" belong to no tensor"},
      {"hole between", two("[0,4]", "[8,12]", eight + four),
       "4 bytes before tensor \"b\" belong to no tensor"},
      {"overlap", two("[0,4]", "[2,6]", eight), "tensor \"b\" overlaps the one before it"},
      {"the same bytes twice", two("[0,4]", "[0,4]", four),
       "tensor \"b\" overlaps the one before it"},
      {"empty tensor inside another",
       raw_file(braces(good + "," + entry("e", "F32", "[0]", "[4,4]")), eight),
       "tensor \"e\" overlaps the one before it"},
      {"hole at the end of a million million bytes",
       two("[0,4]", "[1000000000000,1000000000004]", eight),
       "999999999996 bytes before tensor \"b\" belong to no tensor"},
      {"empty tensor beyond the file",
       raw_file(braces(good + "," + entry("e", "F32", "[0]", "[16,16]")), eight),
       "8 bytes before tensor \"e\" belong to no tensor"},
      {"beyond the file", two("[0,4]", "[4,8]", four),
       "the tensors take 8 bytes, the file holds 4: it is cut short"},
  };
}

void check(const std::vector<Malformed>& files) {
  for (const auto& file : files) {
    INFO(file.name);
    CHECK(refusal(file.bytes) == file.message);
  }
}

}  // namespace

TEST_CASE("files that are wrong outside the header") {
  check(outside_the_header());
}
TEST_CASE("headers that are no JSON object") {
  check(json_itself());
}
TEST_CASE("headers with wrong members") {
  check(members());
}
TEST_CASE("tensors that cannot be") {
  check(tensors());
}
TEST_CASE("layouts with holes and overlaps") {
  check(layouts());
}

TEST_CASE("things that are no regular file") {
  const TemporaryFolder folder;
  const auto message = [&](const std::filesystem::path& path) {
    try {
      weights::SafetensorsFile::open(path);
      return std::string();
    } catch (const Error& error) {
      return std::string(error.what());
    }
  };
  CHECK(message(folder / "none") ==
        (folder / "none").string() + ": cannot be opened: No such file or directory");
  CHECK(message(folder.path()) == folder.path().string() + ": is no regular file");
  // A named pipe without a writer must not make the reader wait.
  REQUIRE(mkfifo((folder / "pipe").c_str(), 0600) == 0);
  CHECK(message(folder / "pipe") == (folder / "pipe").string() + ": is no regular file");
}

TEST_CASE("no byte of a good file can be changed into a crash") {
  const TemporaryFolder folder;
  const std::string whole = raw_file(
      braces(R"("__metadata__":{"k":"v"},)" + good + "," + entry("b", "I64", "[]", "[8,16]")),
      eight + eight);
  REQUIRE(refusal(whole).empty());
  const auto path = folder / "w.safetensors";
  const std::size_t header_end = whole.size() - 16;
  for (std::size_t at = 0; at < header_end; ++at) {
    for (const char byte : {'\xff', '"', static_cast<char>(whole[at] ^ 1)}) {
      std::string changed = whole;
      changed[at] = byte;
      write_raw(path, changed);
      try {
        const auto file = weights::SafetensorsFile::open(path);
        for (const auto& tensor : file.tensors()) CHECK(tensor.bytes.size() <= 16);
      } catch (const Error& error) {
        CHECK(error.code() == ExitCode::data);
      }
    }
  }
}
