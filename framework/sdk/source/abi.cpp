// The block of section `.bcx.abi`: compiled into libbcx_sdk.so for the host and into every plugin
// file, each with the options of whatever it is compiled with.

#include "bcx/sdk/abi.h"

#include <string>

#ifndef BCX_WITHOUT_TORCH
#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>
#include <torch/version.h>
#endif

#if defined(__has_feature)
#define BCX_HAS_FEATURE(name) __has_feature(name)
#else
#define BCX_HAS_FEATURE(name) 0
#endif

#if defined(__SANITIZE_ADDRESS__) || BCX_HAS_FEATURE(address_sanitizer)
#define BCX_ADDRESS_SANITIZER bcx::sdk::sanitizer_address
#else
#define BCX_ADDRESS_SANITIZER 0
#endif
#if defined(__SANITIZE_THREAD__) || BCX_HAS_FEATURE(thread_sanitizer)
#define BCX_THREAD_SANITIZER bcx::sdk::sanitizer_thread
#else
#define BCX_THREAD_SANITIZER 0
#endif
#if BCX_HAS_FEATURE(memory_sanitizer)
#define BCX_MEMORY_SANITIZER bcx::sdk::sanitizer_memory
#else
#define BCX_MEMORY_SANITIZER 0
#endif

#ifdef __clang__
#define BCX_COMPILER "Clang " __clang_version__
#else
#define BCX_COMPILER "GCC " __VERSION__
#endif

namespace {

using namespace bcx::sdk;

template <std::size_t N>
constexpr void copy(char (&to)[N], const char* from) {
  for (std::size_t i = 0; i + 1 < N && from[i]; ++i) to[i] = from[i];
}

constexpr AbiBlock describe() {
  AbiBlock block{};
  copy(block.magic, abi_magic);
  block.size = sizeof(AbiBlock);
  block.sdk_abi = BCX_SDK_ABI;
#if defined(_LIBCPP_VERSION)
  block.string_abi = string_abi_libcxx;
#elif _GLIBCXX_USE_CXX11_ABI
  block.string_abi = string_abi_cxx11;
#endif
#ifdef _GLIBCXX_DEBUG
  block.debug_containers = 1;
#endif
  block.sanitizers = BCX_ADDRESS_SANITIZER | BCX_THREAD_SANITIZER | BCX_MEMORY_SANITIZER;
  block.sizeof_string = sizeof(std::string);
  copy(block.compiler, BCX_COMPILER);
  copy(block.sdk_version, BCX_SDK_VERSION);
#ifndef BCX_WITHOUT_TORCH
  block.torch_major = TORCH_VERSION_MAJOR;
  block.torch_minor = TORCH_VERSION_MINOR;
  block.sizeof_tensor = sizeof(at::Tensor);
  block.sizeof_module = sizeof(torch::nn::Module);
  copy(block.torch_version, TORCH_VERSION);
#endif
  return block;
}

// `used` keeps the compiler from dropping what nothing refers to, `retain` the linker's
// --gc-sections.
__attribute__((used, retain, section(".bcx.abi"))) constexpr AbiBlock block = describe();

}  // namespace
