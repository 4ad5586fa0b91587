// What is said about each way a plugin file can be broken, word for word. Nothing here is loaded.

#include <sys/stat.h>

#include "base/error.h"
#include "base/philox.h"
#include "fixture.h"
#include "plugin/abi_check.h"
#include "plugin/elf.h"

using namespace bcx;
using namespace bcx::test;

namespace {
const std::string& good() {
  static const std::string bytes = read_bytes(good_plugin());
  return bytes;
}
}  // namespace

TEST_CASE("the good plugin has nothing against it") {
  CHECK(reason_against(good()) == "");
}

TEST_CASE("files that are no plugins") {
  CHECK(reason_against("") == "is empty; copy or build it again");
  CHECK(reason_against("hello\n") == "is no shared library; remove it or rename it");
  CHECK(reason_against("This is a text file, longer than any header of a library.\n" +
                       std::string(100, 'x')) == "is no shared library; remove it or rename it");
  CHECK(reason_against(read_bytes(build_dir() / "lib/libbcx_base.so")) ==
        "is no bcx plugin: it has no section .bcx.abi; build it with bcx_add_plugin()");
}

TEST_CASE("truncated files") {
  CHECK(reason_against(good().substr(0, 40)) ==
        "ends early: 24 bytes are missing; copy or build it again");
  CHECK(reason_against(good().substr(0, good().size() - 64)) ==
        "ends early: 64 bytes are missing; copy or build it again");
}

TEST_CASE("files for another machine") {
  std::string bytes = good();
  bytes[18] = '\xF3';  // e_machine: RISC-V
  bytes[19] = 0;
#if defined(__x86_64__)
  CHECK(reason_against(bytes) == "is for RISC-V, this bcx is for x86-64; build it on this machine");
#endif
  bytes = good();
  bytes[4] = 1;  // ELFCLASS32
  CHECK(reason_against(bytes) == "is no 64-bit library; build it on this machine");
  bytes = good();
  bytes[5] = bytes[5] == 1 ? 2 : 1;
  CHECK(reason_against(bytes) ==
        "is for a machine of another byte order; build it on this machine");
}

TEST_CASE("another SDK ABI is all that is said") {
  const auto bytes = with_abi(good(), [](sdk::AbiBlock& block) {
    block.sdk_abi = 77;
    block.string_abi = 0;
  });
  CHECK(reason_against(bytes) == "does not fit this bcx: SDK ABI: host " +
                                     std::to_string(BCX_SDK_ABI) +
                                     ", plugin 77; build it with the SDK of bcx " BCX_SDK_VERSION);
}

TEST_CASE("another LibTorch") {
  const auto host = plugin::host_build().abi;
  REQUIRE(host.torch_major > 0);
  const auto bytes = with_abi(good(), [&](sdk::AbiBlock& block) {
    block.torch_major = host.torch_major;
    block.torch_minor = 99;
    block.sizeof_tensor = host.sizeof_tensor;
    block.sizeof_module = host.sizeof_module;
  });
  const std::string major = std::to_string(host.torch_major);
  CHECK(reason_against(bytes) == "does not fit this bcx: LibTorch: host " + major + "." +
                                     std::to_string(host.torch_minor) + ", plugin " + major +
                                     ".99; build it with the compiler, options and LibTorch of "
                                     "this bcx");
}

TEST_CASE("a damaged ABI block") {
  const auto damaged = "has a damaged section .bcx.abi; build it with bcx_add_plugin()";
  CHECK(reason_against(patched(good(), "BCXPLUG", "BCXPLUX")) == damaged);
  CHECK(reason_against(with_abi(good(), [](auto& block) { block.size = 0xFFFFFFFF; })) == damaged);
  CHECK(reason_against(with_abi(good(), [](auto& block) { block.size = 4; })) == damaged);
}

TEST_CASE("an older, shorter ABI block is compared as far as it goes") {
  const auto bytes = with_abi(good(), [](sdk::AbiBlock& block) { block.size = 32; });
  CHECK(reason_against(bytes) == "");
}

TEST_CASE("every difference has its words") {
  sdk::AbiBlock host{};
  host.sdk_abi = 1;
  host.string_abi = sdk::string_abi_cxx11;
  host.sizeof_string = 32;
  host.torch_major = 2;
  host.torch_minor = 11;
  host.sizeof_tensor = 8;
  host.sizeof_module = 400;
  CHECK(plugin::differences(host, host).empty());

  sdk::AbiBlock other = host;
  other.string_abi = sdk::string_abi_copy_on_write;
  other.debug_containers = 1;
  other.sanitizers = sdk::sanitizer_address | sdk::sanitizer_thread | sdk::sanitizer_memory;
  other.sizeof_string = 8;
  other.torch_minor = 10;
  other.sizeof_tensor = 16;
  other.sizeof_module = 408;
  CHECK(plugin::differences(host, other) ==
        std::vector<std::string>{
            "C++ string ABI: host C++11, plugin before C++11",
            "_GLIBCXX_DEBUG: host no, plugin yes", "AddressSanitizer: host no, plugin yes",
            "ThreadSanitizer: host no, plugin yes", "MemorySanitizer: host no, plugin yes",
            "size of std::string: host 32, plugin 8", "LibTorch: host 2.11, plugin 2.10",
            "size of at::Tensor: host 8, plugin 16",
            "size of torch::nn::Module: host 400, plugin 408"});

  other = host;  // built without LibTorch
  other.torch_major = other.torch_minor = other.sizeof_tensor = other.sizeof_module = 0;
  CHECK(plugin::differences(host, other).empty());
}

TEST_CASE("files without a manifest or with a bad one") {
  CHECK(reason_against(patched(good(), ".bcx.manifest", ".bcx.manifesX")) ==
        "has no manifest (section .bcx.manifest); build it with bcx_add_plugin()");
  CHECK(reason_against(patched(good(), "kind = \"callback\"", "kind = \"callbock\"")) ==
        "plugin.toml:2:8: kind: expected \"backbone\", \"augmentation\", \"optimizer\" or "
        "\"callback\", "
        "got \"callbock\"; did you mean \"callback\"?");
  CHECK(reason_against(patched(patched(good(), "summary = \"Counts", "sumary  = \"Counts"),
                               "min = 1", "min = 2")) ==
        "plugin.toml:1:1: missing key \"summary\"\n"
        "plugin.toml:4:1: unknown key \"sumary\"; did you mean \"summary\"?\n"
        "plugin.toml:11:11: default: expected an integer of at least 2, got 1");
  // The rest of a syntax error's text is toml++'s own and differs between its versions.
  CHECK(reason_against(
            patched(good(), "[[component]]\nname = \"count\"", "[[component]\nname = \"countx\""))
            .starts_with("plugin.toml:6:13: not TOML: "));
}

TEST_CASE("a file without an entry") {
  CHECK(reason_against(patched(good(), "bcx_plugin_entry", "bcx_plugin_entrX")) ==
        "exports no bcx_plugin_entry; end a source file with BCX_PLUGIN(...)");
}

TEST_CASE("folders, pipes and dangling links named like plugins") {
  PluginFolder folder;
  std::filesystem::create_directory(folder.path() / "a.bcx.so");
  REQUIRE(mkfifo((folder.path() / "b.bcx.so").c_str(), 0600) == 0);
  std::filesystem::create_symlink("nowhere", folder.path() / "c.bcx.so");
  folder.add("d.bcx.so", good());
  const auto catalog = folder.catalog();
  REQUIRE(catalog.findings().size() == 3);
  CHECK(catalog.findings()[0].reason == "is no regular file");
  CHECK(catalog.findings()[1].reason == "is no regular file");
  CHECK(catalog.findings()[2].reason == "cannot be opened: No such file or directory");
  CHECK(catalog.plugins().size() == 1);
}

TEST_CASE("no damage makes reading a file crash") {
  PluginFolder folder;
  const auto path = folder.path() / "broken.bcx.so";
  const auto look = [&](std::string_view bytes) {
    write_bytes(path, bytes);
    try {
      const plugin::ElfFile file(path);
      file.needed();
      plugin::inspect(path);
    } catch (const Error& error) {
      CHECK(error.code() == ExitCode::plugin);
    }
  };
  for (std::size_t size = 0; size < good().size(); size += 97) look(good().substr(0, size));
  const Stream random(7, "mutations");
  const std::size_t table = good().size() - 64 * 30;  // the section table stands at the end
  for (std::uint64_t i = 0; i < 1500; ++i) {
    std::string bytes = good();
    for (int k = 0; k < 4; ++k) {
      const bool header = random.word(9 * i + 2 * k) % 4 == 0;
      const auto at = header ? random.below(9 * i + 2 * k + 1, 64)
                             : table + random.below(9 * i + 2 * k + 1, bytes.size() - table);
      bytes[at] = static_cast<char>(random.word(9 * i + 8 + k));
    }
    look(bytes);
  }
}
