// Any text as a plugin's manifest.
#include "plugin/manifest.h"
#include "tests/fuzz/fuzz.h"

using namespace bcx;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::take_or_refuse([&] {
    const auto manifest = plugin::parse_manifest(fuzz::text_of(data, size), "plugin.toml");
    fuzz::require(!manifest.components.empty(), "a manifest has components");
    fuzz::require(printable(manifest.name) == manifest.name, "names are plain");
  });
  return 0;
}
