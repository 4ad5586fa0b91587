// Loading the torch-free fixture: once, checked before, errors with the loader's reason.

#include "base/error.h"
#include "base/shared_object.h"
#include "bcx/sdk/callback.h"
#include "bcx/sdk/plugin.h"
#include "fixture.h"
#include "plugin/call_site.h"
#include "plugin/loader.h"

using namespace bcx;
using namespace bcx::test;

namespace {

std::string load_error(const std::filesystem::path& path) {
  try {
    plugin::load(path);
    return "";
  } catch (const Error& error) {
    CHECK(error.code() == ExitCode::plugin);
    return error.what();
  }
}

const sdk::PluginTable& table(const plugin::LoadedPlugin& loaded) {
  return *static_cast<const sdk::PluginTable*>(loaded.table);
}

}  // namespace

TEST_CASE("a plugin is loaded once and works") {
  const auto& loaded = plugin::load(good_plugin());
  CHECK(loaded.name == "good");
  CHECK(loaded.version == "1.2.3");
  CHECK(loaded.build_id.size() == 40);
  CHECK(loaded.file == std::filesystem::canonical(good_plugin()));
  CHECK(&plugin::load(good_plugin().parent_path() / "." / good_plugin().filename()) == &loaded);

  REQUIRE(table(loaded).size == sizeof(sdk::PluginTable));
  REQUIRE(table(loaded).component_count == 2);
  const auto& entry = table(loaded).components[0];
  CHECK(std::string(entry.name) == "count");
  const auto callback = entry.callback(sdk::Params({{"every", std::int64_t{1}}}));
  callback->load_state("41");
  CHECK(callback->state() == "41");
}

TEST_CASE("a factory that throws says whose it is") {
  PluginFolder folder;
  folder.add("good.bcx.so", read_bytes(good_plugin()));
  const auto catalog = folder.catalog();
  const auto* spec = catalog.find(config::ComponentKind::callback, "refuse");
  REQUIRE(spec);
  const auto& entry = table(plugin::load(*spec)).components[1];
  const plugin::CallSite site(*spec);
  const std::string text = "in callback \"refuse\" 1.2.3 (" + spec->file + "), while building it: ";
  try {
    site("building it", [&] { return entry.callback(sdk::Params()); });
    FAIL("nothing was thrown");
  } catch (const Error& error) {
    CHECK(error.code() == ExitCode::plugin);
    CHECK(std::string(error.what()) == text + "no");
  }
  try {
    site("building it", []() -> int { throw 3; });
    FAIL("nothing was thrown");
  } catch (const Error& error) {
    CHECK(std::string(error.what()) == text + "threw something that is no std::exception");
  }
  try {
    site("building it", [] { throw Error(ExitCode::device, {"no memory", "cuda:0", "use less"}); });
    FAIL("nothing was thrown");
  } catch (const Error& error) {
    CHECK(error.code() == ExitCode::device);
    CHECK(std::string(error.what()) == text + "cuda:0: no memory; use less");
  }
  CHECK(site("adding", [] { return 2 + 2; }) == 4);
}

TEST_CASE("what cannot be loaded") {
  PluginFolder folder;
  const auto good = read_bytes(good_plugin());
  CHECK(load_error(folder.path() / "none.bcx.so") ==
        (std::filesystem::canonical(folder.path()) / "none.bcx.so").string() +
            ": cannot be opened: No such file or directory");
  const auto text = folder.add("text.bcx.so", "no library at all");
  CHECK(load_error(text) == text.string() + ": is no shared library; remove it or rename it");
  const auto missing =
      folder.add("missing.bcx.so", patched(good, "libstdc++.so.6", "libstdc++.so.x"));
  CHECK(load_error(missing) ==
        missing.string() +
            ": cannot be loaded: libstdc++.so.x: cannot open shared object file: No such file or "
            "directory; `ldd " +
            missing.string() + "` lists what it needs");
}

TEST_CASE("bcx's own libraries are found beside each other") {
  CHECK(library_folder() == std::filesystem::canonical(build_dir() / "lib"));
  const auto lib = library_folder().string();
  CHECK_THROWS_WITH(
      load_host_symbol("bcx_nowhere", "open"),
      lib + "/libbcx_nowhere.so: this part of bcx is not there; build or install bcx again");
  CHECK_THROWS_WITH(load_host_symbol("bcx_base", "nothing"),
                    lib + "/libbcx_base.so: has no symbol \"nothing\"; `ldd " + lib +
                        "/libbcx_base.so` lists what it needs; build or install bcx again");
}
