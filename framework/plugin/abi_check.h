// Whether a plugin file and this bcx may share a process.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "bcx/sdk/abi.h"
#include "plugin/elf.h"

namespace bcx::plugin {

/// The block that a library carries. Throws bcx::Error (plugin) when there is none or it is broken.
/// Members that the file does not have (it is older) are zero.
sdk::AbiBlock read_abi(const ElfFile& file);

/// What host and plugin disagree on, in words: `AddressSanitizer: host no, plugin yes`. When the
/// SDK's ABI numbers differ that alone: nothing else can be believed then. Empty: they fit.
std::vector<std::string> differences(const sdk::AbiBlock& host, const sdk::AbiBlock& plugin);

/// A library's block and the processor it is for.
struct Build {
  sdk::AbiBlock abi{};
  std::uint16_t machine = 0;
};

/// This bcx's own, read once from libbcx_sdk.so beside libbcx_plugin.so without loading it
/// (LibTorch comes with it). Throws bcx::Error (other) when that library is not there.
const Build& host_build();

/// Throws bcx::Error (plugin) with every difference and what to do.
void require_same_build(const Build& host, const ElfFile& file, const sdk::AbiBlock& abi);

}  // namespace bcx::plugin
