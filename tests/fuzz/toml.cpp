// Any text as a TOML document: a tree, or an error with a place.
#include "config/document.h"
#include "tests/fuzz/fuzz.h"

using namespace bcx;

namespace {
void walk(const config::Node& node) {
  fuzz::require(printable(config::describe(node)) == config::describe(node),
                "a value can be shown");
  for (const auto& item : node.items) walk(item);
  for (const auto& entry : node.entries) walk(entry.value);
}
}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::take_or_refuse(
      [&] { walk(config::parse_document(fuzz::text_of(data, size), "fuzz.toml")); });
  return 0;
}
