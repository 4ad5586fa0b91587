// `bcx plugins check` of files that are broken before any code of theirs runs, or while it is
// loaded.

#include "checked.h"
#include "tests/unit/plugin/fixture.h"

using namespace bcx;
using namespace bcx::test;
using Lines = std::vector<std::string>;

namespace {

const std::string& good() {
  static const std::string bytes = read_bytes(good_plugin());
  return bytes;
}

Lines findings_of(std::string_view bytes) {
  PluginFolder folder;
  return findings(check_report(folder.add("broken.bcx.so", bytes)));
}

std::filesystem::path fixture(const std::string& name) {
  return build_dir() / "tests/plugin_fixtures" / (name + ".bcx.so");
}

}  // namespace

TEST_CASE("the report for people, word for word") {
  PluginFolder folder;
  const auto outcome = check_process(folder.add("text.bcx.so", "no library at all"));
  CHECK(outcome.code == 4);
  CHECK(outcome.out ==
        "file\n"
        "  FAILED   sections       is no shared library\n"
        "                           remove it or rename it\n"
        "1 checks, 1 failed, 0.00 s\n");
  CHECK(outcome.err.empty());
}

TEST_CASE("a file that is not there, and a folder that anybody may write to") {
  const auto gone = check_process("/nowhere/x.bcx.so");
  CHECK(gone.code == 4);
  CHECK(gone.err == "error: /nowhere/x.bcx.so: cannot be opened: No such file or directory\n");
  PluginFolder folder;
  const auto file = folder.add("good.bcx.so", good());
  std::filesystem::permissions(folder.path(), std::filesystem::perms::all);
  CHECK(findings(check_report(file)) ==
        Lines{"file/place: " + std::filesystem::canonical(folder.path()).string() +
              " is writable by everybody; chmod o-w"});
}

TEST_CASE("files that do not fit or are damaged") {
  CHECK(findings_of("") == Lines{"file/sections: is empty; copy or build it again"});
  CHECK(findings_of(good().substr(0, good().size() - 64)) ==
        Lines{"file/sections: ends early: 64 bytes are missing; copy or build it again"});
  CHECK(findings_of(with_abi(good(), [](sdk::AbiBlock& block) { block.sdk_abi = 77; })) ==
        Lines{"file/sections: does not fit this bcx: SDK ABI: host " + std::to_string(BCX_SDK_ABI) +
              ", plugin 77; build it with the SDK of bcx " BCX_SDK_VERSION});
  CHECK(findings_of(with_abi(good(),
                             [](sdk::AbiBlock& block) {
                               block.torch_major = 1;
                               block.torch_minor = 0;
                               block.sizeof_tensor = sizeof(void*);
                             }))
            .at(0)
            .starts_with("file/sections: does not fit this bcx: LibTorch: host "));
#if defined(__x86_64__)
  std::string foreign = good();
  foreign[18] = '\xF3';  // e_machine: RISC-V
  foreign[19] = 0;
  CHECK(findings_of(foreign) ==
        Lines{"file/sections: is for RISC-V, this bcx is for x86-64; build it on this machine"});
#endif
  CHECK(findings_of(patched(good(), ".bcx.manifest", ".bcx.manifesX")) ==
        Lines{"file/sections: has no manifest (section .bcx.manifest); build it with "
              "bcx_add_plugin()"});
  CHECK(
      findings_of(patched(good(), "bcx_plugin_entry", "bcx_plugin_entrX")) ==
      Lines{"file/sections: exports no bcx_plugin_entry; end a source file with BCX_PLUGIN(...)"});
  CHECK(
      findings_of(patched(patched(good(), "summary = \"Counts", "sumary  = \"Counts"), "min = 1",
                          "min = 2")) ==
      Lines{"manifest/reading: plugin.toml:1:1: missing key \"summary\"",
            "manifest/reading: plugin.toml:4:1: unknown key \"sumary\"; did you mean \"summary\"?",
            "manifest/reading: plugin.toml:11:11: default: expected an integer of at least 2, got "
            "1"});
}

TEST_CASE("a library that is missing") {
  PluginFolder folder;
  const auto file =
      folder.add("missing.bcx.so", patched(good(), "libstdc++.so.6", "libstdc++.so.x"));
  CHECK(findings(check_report(file)) ==
        Lines{"file/loading: " + file.string() +
              ": cannot be loaded: libstdc++.so.x: cannot open shared object file: No such file or "
              "directory; `ldd " +
              file.string() + "` lists what it needs"});
}

TEST_CASE("a static constructor that hangs is stopped") {
  CHECK(findings(check_report(fixture("fixture_hangs"), "0.5")) ==
        Lines{"file/loading: was not done after 0.50 s and was stopped; --time-limit allows more"});
}

TEST_CASE("a table that is not the manifest's, and symbols that are nobody's business") {
  CHECK(findings(check_report(fixture("fixture_lost"))) ==
        Lines{"file/table: BCX_PLUGIN(...) does not name \"elsewhere\""});
  const auto loud = findings(check_report(fixture("fixture_loud")));
  REQUIRE(loud.size() == 2);
  CHECK(loud[0].starts_with("file/exports: exports "));
  CHECK(loud[0].find(" symbols more than its entry: _ZN3bcx3sdk") != std::string::npos);
  CHECK(loud[0].ends_with(", ...; build it with bcx_add_plugin(), which hides them"));
  PluginFolder folder;
  const auto other =
      folder.add("other.bcx.so", patched(good(), "name = \"refuse\"", "name = \"refusx\""));
  CHECK(findings(check_report(other)) ==
        Lines{"file/table: BCX_PLUGIN(...) does not name \"refusx\""});
}
