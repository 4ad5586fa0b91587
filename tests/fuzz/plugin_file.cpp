// Any bytes as a plugin's file: sections, symbols, ABI block, manifest. Nothing of it is loaded.
#include "bcx/sdk/abi.h"
#include "plugin/abi_check.h"
#include "plugin/elf.h"
#include "plugin/manifest.h"
#include "tests/fuzz/fuzz.h"

using namespace bcx;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const fuzz::Folder folder;
  const auto path = folder.write("fuzz.bcx.so", fuzz::text_of(data, size));
  fuzz::take_or_refuse([&] {
    const plugin::ElfFile file(path);
    file.build_id();
    file.needed();
    file.exports(sdk::entry_symbol);
    if (const auto text = file.section(sdk::manifest_section, plugin::manifest_limit))
      fuzz::take_or_refuse([&] { plugin::parse_manifest(*text, "plugin.toml"); });
    const auto block = plugin::read_abi(file);
    plugin::differences(block, block);
  });
  return 0;
}
