// What two pieces of compiled C++ must agree on before they may share a process: the block that the
// host and every plugin file carry in their section `.bcx.abi`.
//
// The host reads a plugin's block from the file, without loading it: static constructors run at
// loading, so that a later check is too late. Depends on nothing, so that the torch-free plugin
// layer can read it too.
#pragma once

#include <cstddef>
#include <cstdint>

/// Goes up by one whenever the layout or a virtual table of anything in bcx/sdk changes. A test
/// keeps a hash of these headers and asks.
#define BCX_SDK_ABI 3

/// The framework's version, for people: shown, not compared.
#define BCX_SDK_VERSION "0.1.0"

namespace bcx::sdk {

inline constexpr char abi_magic[8] = "BCXPLUG";
inline constexpr const char* abi_section = ".bcx.abi";
inline constexpr const char* manifest_section = ".bcx.manifest";
inline constexpr const char* entry_symbol = "bcx_plugin_entry";

enum StringAbi : std::uint32_t {
  string_abi_copy_on_write = 0,
  string_abi_cxx11 = 1,
  string_abi_libcxx = 2
};
enum Sanitizer : std::uint32_t {
  sanitizer_address = 1,
  sanitizer_thread = 2,
  sanitizer_memory = 4
};

/// Flat, free of pointers and append-only: new members go to the end, and `size` says how many a
/// file has. Only what both know is compared.
struct AbiBlock {
  char magic[8];          ///< "BCXPLUG"
  std::uint32_t size;     ///< of this block, in bytes
  std::uint32_t sdk_abi;  ///< BCX_SDK_ABI; when it differs nothing below is looked at

  std::uint32_t string_abi;        ///< StringAbi
  std::uint32_t debug_containers;  ///< 1: built with _GLIBCXX_DEBUG
  std::uint32_t sanitizers;        ///< OR of Sanitizer
  std::uint32_t sizeof_string;     ///< sizeof(std::string)
  // Zero in a plugin that is built without LibTorch (a callback): then they are not compared.
  std::uint32_t torch_major, torch_minor;
  std::uint32_t sizeof_tensor;  ///< sizeof(at::Tensor)
  std::uint32_t sizeof_module;  ///< sizeof(torch::nn::Module)

  // Shown, not compared; zero-terminated.
  char compiler[48];       ///< "GCC 12.2.0"
  char torch_version[24];  ///< "2.11.0", empty without LibTorch
  char sdk_version[24];    ///< BCX_SDK_VERSION
};

static_assert(sizeof(AbiBlock) == 144, "the block is append-only");
static_assert(offsetof(AbiBlock, sdk_abi) == 12, "the block is append-only");

}  // namespace bcx::sdk
