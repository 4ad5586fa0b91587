// Whoever changes a header of the SDK is asked whether plugins must be built again.
//
// sdk_headers.sha256 holds BCX_SDK_ABI and a hash of each header without comments and spaces.
// Refresh it with
//
//     BCX_REFRESH=1 build/tests/test_plugin "[sdk-headers]"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>

#include "base/hash.h"
#include "fixture.h"

using namespace bcx;
using namespace bcx::test;

namespace {

// Comments out, every run of white space one space. The headers have no raw strings, and no `//`
// or `/*` inside string literals.
std::string code_alone(const std::string& text) {
  std::string code;
  for (std::size_t i = 0; i < text.size();) {
    if (text.compare(i, 2, "//") == 0) {
      i = std::min(text.find('\n', i), text.size());
    } else if (text.compare(i, 2, "/*") == 0) {
      i = std::min(text.find("*/", i), text.size() - 2) + 2;
    } else {
      const bool space = std::isspace(static_cast<unsigned char>(text[i]));
      if (!space || (!code.empty() && code.back() != ' ')) code += space ? ' ' : text[i];
      ++i;
    }
  }
  return code;
}

using Hashes = std::map<std::string, std::string>;

Hashes current() {
  Hashes hashes{{"BCX_SDK_ABI", std::to_string(BCX_SDK_ABI)}};
  const auto folder = source_dir() / "framework/sdk/include/bcx/sdk";
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    if (entry.path().extension() == ".h")
      hashes["bcx/sdk/" + entry.path().filename().string()] =
          sha256_hex(code_alone(read_bytes(entry)));
  return hashes;
}

std::filesystem::path stored_file() {
  return source_dir() / "tests/unit/plugin/sdk_headers.sha256";
}

Hashes stored() {
  Hashes hashes;
  std::ifstream file(stored_file());
  for (std::string hash, name; file >> hash >> name;) hashes[name] = hash;
  return hashes;
}

}  // namespace

TEST_CASE("comments are no part of a header's hash") {
  CHECK(code_alone("int a;  // one\n/* two\n */ int\tb;\n") == "int a; int b; ");
}

TEST_CASE("the SDK's headers are those that BCX_SDK_ABI stands for", "[sdk-headers]") {
  const Hashes now = current();
  if (std::getenv("BCX_REFRESH")) {
    std::ofstream file(stored_file());
    for (const auto& [name, hash] : now) file << hash << "  " << name << "\n";
    WARN("wrote " << stored_file().string());
    return;
  }
  const Hashes before = stored();
  std::string changed;
  for (const auto& [name, hash] : now)
    if (!before.contains(name) || before.at(name) != hash) changed += "  " + name + "\n";
  for (const auto& [name, hash] : before)
    if (!now.contains(name)) changed += "  " + name + " (gone)\n";
  INFO("changed:\n"
       << changed
       << "bump BCX_SDK_ABI if a layout or vtable changed (bcx/sdk/abi.h), then refresh with\n"
          "BCX_REFRESH=1 build/tests/test_plugin \"[sdk-headers]\"");
  CHECK(changed.empty());
}
