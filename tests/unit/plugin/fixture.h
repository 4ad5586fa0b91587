// Broken plugins made from a good one by patching its bytes.
#pragma once

#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <string_view>

#include "bcx/sdk/abi.h"
#include "plugin/catalog.h"
#include "tests/catch.h"

namespace bcx::test {

inline std::filesystem::path good_plugin() {
  return build_dir() / "tests/plugin_fixtures/fixture_good.bcx.so";
}

inline std::string read_bytes(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read " + path.string());
  return {std::istreambuf_iterator<char>(file), {}};
}

inline void write_bytes(const std::filesystem::path& path, std::string_view bytes) {
  std::filesystem::remove(path);  // ext4 waits for the disk when a file is cut and written again
  std::ofstream(path, std::ios::binary) << bytes;
}

/// Every occurrence of `from` replaced by `to` of the same length; there must be one.
inline std::string patched(std::string bytes, std::string_view from, std::string_view to) {
  if (from.size() != to.size()) throw std::logic_error("a patch keeps the length");
  std::size_t at = bytes.find(from);
  if (at == std::string::npos) throw std::logic_error("nothing to patch: " + std::string(from));
  for (; at != std::string::npos; at = bytes.find(from, at + to.size()))
    bytes.replace(at, to.size(), to);
  return bytes;
}

/// The good plugin with some members of its ABI block changed.
template <typename Change>
std::string with_abi(std::string bytes, Change&& change) {
  const auto at = bytes.find(std::string_view(sdk::abi_magic, sizeof sdk::abi_magic));
  if (at == std::string::npos) throw std::logic_error("no ABI block");
  sdk::AbiBlock block;
  std::memcpy(&block, bytes.data() + at, sizeof block);
  change(block);
  std::memcpy(bytes.data() + at, &block, sizeof block);
  return bytes;
}

/// A folder of plugins that nothing else has a say in.
class PluginFolder {
 public:
  std::filesystem::path add(const std::string& name, std::string_view bytes) {
    write_bytes(folder_ / name, bytes);
    return folder_ / name;
  }
  const std::filesystem::path& path() const { return folder_.path(); }
  plugin::Search search() const {
    plugin::Search search;
    search.command_line = {folder_.path()};
    search.environment = search.user = false;
    search.built_in = std::filesystem::path();
    return search;
  }
  plugin::PluginCatalog catalog() const { return plugin::PluginCatalog(search()); }

 private:
  TemporaryFolder folder_;
};

/// Why the only file of a folder is not used; "" when it is.
inline std::string reason_against(std::string_view bytes) {
  PluginFolder folder;
  folder.add("broken.bcx.so", bytes);
  const auto catalog = folder.catalog();
  std::string reasons;
  for (const auto& finding : catalog.findings())
    reasons += (reasons.empty() ? "" : "\n") + finding.reason;
  return reasons;
}

}  // namespace bcx::test
