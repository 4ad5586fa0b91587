#include "plugin/abi_check.h"

#include <fmt/format.h>

#include <cstring>

#include "base/error.h"
#include "base/shared_object.h"
#include "base/text.h"

namespace bcx::plugin {
namespace {

constexpr std::uint64_t abi_limit = 4096;
// Up to and with the SDK's ABI number: what every block has, whatever its age.
constexpr std::size_t smallest_block = offsetof(sdk::AbiBlock, sdk_abi) + sizeof(std::uint32_t);

std::string yes_no(bool value) {
  return value ? "yes" : "no";
}

std::string string_abi_name(std::uint32_t abi) {
  switch (abi) {
    case sdk::string_abi_copy_on_write:
      return "before C++11";
    case sdk::string_abi_cxx11:
      return "C++11";
    case sdk::string_abi_libcxx:
      return "libc++";
    default:
      return fmt::format("number {}", abi);
  }
}

// Collects `name: host x, plugin y` for what differs.
class Comparison {
 public:
  void add(const char* name, const std::string& host, const std::string& plugin) {
    if (host != plugin) lines_.push_back(fmt::format("{}: host {}, plugin {}", name, host, plugin));
  }
  void add(const char* name, std::uint32_t host, std::uint32_t plugin) {
    add(name, std::to_string(host), std::to_string(plugin));
  }
  void add_bit(const char* name, std::uint32_t host, std::uint32_t plugin, std::uint32_t bit) {
    add(name, yes_no(host & bit), yes_no(plugin & bit));
  }
  std::vector<std::string> lines() && { return std::move(lines_); }

 private:
  std::vector<std::string> lines_;
};

Build read_host() {
  const auto path = library_folder() / "libbcx_sdk.so";
  try {
    const ElfFile file(path);
    return {read_abi(file), file.machine()};
  } catch (const Error& error) {
    throw Error(ExitCode::other,
                {error.parts().what, error.parts().where, "build or install bcx again"});
  }
}

}  // namespace

sdk::AbiBlock read_abi(const ElfFile& file) {
  const auto fail = [&](std::string what) {
    throw Error(ExitCode::plugin, {std::move(what), printable(file.path().string()),
                                   "build it with bcx_add_plugin()"});
  };
  const auto bytes = file.section(sdk::abi_section, abi_limit);
  if (!bytes) fail(fmt::format("is no bcx plugin: it has no section {}", sdk::abi_section));
  if (bytes->size() < smallest_block ||
      std::memcmp(bytes->data(), sdk::abi_magic, sizeof sdk::abi_magic) != 0)
    fail(fmt::format("has a damaged section {}", sdk::abi_section));
  sdk::AbiBlock block{};
  std::uint32_t size = 0;
  std::memcpy(&size, bytes->data() + offsetof(sdk::AbiBlock, size), sizeof size);
  if (size < smallest_block || size > bytes->size())
    fail(fmt::format("has a damaged section {}", sdk::abi_section));
  std::memcpy(&block, bytes->data(), std::min<std::size_t>(size, sizeof block));
  // The texts end inside their arrays, whatever the file says.
  block.compiler[sizeof block.compiler - 1] = '\0';
  block.torch_version[sizeof block.torch_version - 1] = '\0';
  block.sdk_version[sizeof block.sdk_version - 1] = '\0';
  return block;
}

std::vector<std::string> differences(const sdk::AbiBlock& host, const sdk::AbiBlock& plugin) {
  if (host.sdk_abi != plugin.sdk_abi)
    return {fmt::format("SDK ABI: host {}, plugin {}", host.sdk_abi, plugin.sdk_abi)};
  Comparison compare;
  compare.add("C++ string ABI", string_abi_name(host.string_abi),
              string_abi_name(plugin.string_abi));
  compare.add("_GLIBCXX_DEBUG", yes_no(host.debug_containers), yes_no(plugin.debug_containers));
  compare.add_bit("AddressSanitizer", host.sanitizers, plugin.sanitizers, sdk::sanitizer_address);
  compare.add_bit("ThreadSanitizer", host.sanitizers, plugin.sanitizers, sdk::sanitizer_thread);
  compare.add_bit("MemorySanitizer", host.sanitizers, plugin.sanitizers, sdk::sanitizer_memory);
  compare.add("size of std::string", host.sizeof_string, plugin.sizeof_string);
  if (plugin.torch_major == 0) return std::move(compare).lines();
  compare.add("LibTorch", fmt::format("{}.{}", host.torch_major, host.torch_minor),
              fmt::format("{}.{}", plugin.torch_major, plugin.torch_minor));
  compare.add("size of at::Tensor", host.sizeof_tensor, plugin.sizeof_tensor);
  compare.add("size of torch::nn::Module", host.sizeof_module, plugin.sizeof_module);
  return std::move(compare).lines();
}

const Build& host_build() {
  static const Build build = read_host();
  return build;
}

void require_same_build(const Build& host, const ElfFile& file, const sdk::AbiBlock& abi) {
  const std::string where = printable(file.path().string());
  const auto found = differences(host.abi, abi);
  if (found.empty()) return;
  const bool other_sdk = host.abi.sdk_abi != abi.sdk_abi;
  throw Error(ExitCode::plugin,
              {"does not fit this bcx: " + join(found, ", "), where,
               other_sdk ? fmt::format("build it with the SDK of bcx {}", host.abi.sdk_version)
                         : "build it with the compiler, options and LibTorch of this bcx"});
}

}  // namespace bcx::plugin
