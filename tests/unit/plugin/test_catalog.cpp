// Where plugins are looked for, in which order, and who is believed.

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

#include "fixture.h"
#include "plugin/trust.h"

using namespace bcx;
using namespace bcx::test;
using config::ComponentKind;

namespace {

const std::string& good() {
  static const std::string bytes = read_bytes(good_plugin());
  return bytes;
}

// The good plugin under another name of the plugin, its components as they are.
std::string renamed() {
  return patched(good(), "name = \"good\"", "name = \"gold\"");
}

}  // namespace

TEST_CASE("a catalog answers what a validator asks") {
  PluginFolder folder;
  const auto path = folder.add("good.bcx.so", good());
  const auto catalog = folder.catalog();
  CHECK(catalog.findings().empty());
  CHECK(catalog.names(ComponentKind::callback) == std::vector<std::string>{"count", "refuse"});
  CHECK(catalog.names(ComponentKind::optimizer).empty());
  CHECK(catalog.find(ComponentKind::optimizer, "count") == nullptr);
  const auto* count = catalog.find(ComponentKind::callback, "count");
  REQUIRE(count);
  CHECK(count->plugin == "good");
  CHECK(count->version == "1.2.3");
  CHECK(count->file == std::filesystem::canonical(path).string());
  REQUIRE(count->params.size() == 1);
  CHECK(count->params[0].name == "every");
  CHECK(catalog.components().size() == 2);
  REQUIRE(catalog.plugin("good"));
  CHECK(catalog.plugin("good")->build_id.size() == 40);
  CHECK(catalog.plugin("count") == nullptr);
}

TEST_CASE("the first plugin of a name wins and the other is said to be shadowed") {
  PluginFolder first, second;
  const auto path = first.add("z.bcx.so", good());
  second.add("a.bcx.so", good());
  auto search = first.search();
  search.experiment = {second.path()};
  const plugin::PluginCatalog catalog(search);
  REQUIRE(catalog.findings().size() == 1);
  CHECK(catalog.findings()[0].path == second.path() / "a.bcx.so");
  CHECK(catalog.findings()[0].reason ==
        "plugin \"good\" is shadowed by " + std::filesystem::canonical(path).string());
}

TEST_CASE("two plugins that offer the same component") {
  PluginFolder folder;
  const auto path = folder.add("a.bcx.so", good());
  const auto other =
      folder.add("b.bcx.so", patched(renamed(), "name = \"refuse\"", "name = \"reject\""));
  const auto catalog = folder.catalog();
  REQUIRE(catalog.findings().size() == 1);
  CHECK(catalog.findings()[0].path == std::filesystem::canonical(other));
  CHECK(catalog.findings()[0].reason ==
        "callback \"count\" is shadowed by " + std::filesystem::canonical(path).string());
  CHECK(catalog.names(ComponentKind::callback) ==
        std::vector<std::string>{"count", "refuse", "reject"});
}

TEST_CASE("the same file by two ways is one plugin") {
  PluginFolder folder;
  const auto path = folder.add("a.bcx.so", good());
  std::filesystem::create_symlink(path, folder.path() / "b.bcx.so");
  auto search = folder.search();
  search.experiment = {folder.path()};
  const plugin::PluginCatalog catalog(search);
  CHECK(catalog.findings().empty());
  CHECK(catalog.plugins().size() == 1);
  CHECK(catalog.folders().size() == 1);
}

TEST_CASE("a broken file stops no other") {
  PluginFolder folder;
  folder.add("a.bcx.so", "text that is no library");
  folder.add("b.bcx.so", good());
  folder.add("notes.txt", "not looked at");
  const auto catalog = folder.catalog();
  CHECK(catalog.findings().size() == 1);
  CHECK(catalog.find(ComponentKind::callback, "count"));
}

TEST_CASE("folders that are not there") {
  plugin::Search search;
  search.environment = search.user = false;
  search.built_in = "/nowhere/either";  // bcx's own may be missing: nobody named it
  CHECK(plugin::PluginCatalog(search).findings().empty());
  search.experiment = {"/nowhere/plugins"};
  CHECK_THROWS_WITH(plugin::PluginCatalog(search),
                    "[plugins] path: there is no folder /nowhere/plugins");
  search.command_line = {"nowhere"};
  CHECK_THROWS_WITH(plugin::PluginCatalog(search), "--plugin-path: there is no folder nowhere");
}

TEST_CASE("BCX_PLUGIN_PATH names folders; the current directory is never one") {
  PluginFolder folder;
  folder.add("good.bcx.so", good());
  auto search = folder.search();
  search.command_line.clear();
  search.environment = true;
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(folder.path());
  setenv("BCX_PLUGIN_PATH", ":.:", 1);
  const plugin::PluginCatalog none(search);
  CHECK(none.plugins().empty());
  REQUIRE(none.findings().size() == 1);
  CHECK(none.findings()[0].path == ".");
  CHECK(none.findings()[0].reason == "BCX_PLUGIN_PATH: is no absolute path");

  setenv("BCX_PLUGIN_PATH", (":" + folder.path().string()).c_str(), 1);
  CHECK(plugin::PluginCatalog(search).plugins().size() == 1);
  search.environment = false;
  CHECK(plugin::PluginCatalog(search).plugins().empty());
  unsetenv("BCX_PLUGIN_PATH");
  std::filesystem::current_path(before);
}

TEST_CASE("the user's own folder is looked into") {
  PluginFolder home;
  std::filesystem::create_directories(home.path() / "bcx/plugins");
  write_bytes(home.path() / "bcx/plugins/good.bcx.so", good());
  auto search = home.search();
  search.command_line.clear();
  search.user = true;
  setenv("XDG_DATA_HOME", home.path().c_str(), 1);
  CHECK(plugin::PluginCatalog(search).plugins().size() == 1);
  unsetenv("XDG_DATA_HOME");
}

TEST_CASE("folders and files that others can write are refused") {
  PluginFolder folder;
  const auto path = folder.add("good.bcx.so", good());
  REQUIRE(chmod(path.c_str(), 0666) == 0);
  {
    const auto catalog = folder.catalog();
    REQUIRE(catalog.findings().size() == 1);
    CHECK(catalog.findings()[0].path.filename() == "good.bcx.so");
    CHECK(catalog.findings()[0].reason == "is writable by everybody; chmod o-w");
  }
  REQUIRE(chmod(path.c_str(), 0644) == 0);
  REQUIRE(chmod(folder.path().c_str(), 0777) == 0);
  {
    const auto catalog = folder.catalog();
    REQUIRE(catalog.findings().size() == 1);
    CHECK(catalog.findings()[0].path == std::filesystem::canonical(folder.path()));
    CHECK(catalog.findings()[0].reason == "is writable by everybody; chmod o-w");
    CHECK(catalog.plugins().empty());
  }
  // A link from a good folder into that one gets nobody further.
  PluginFolder clean;
  std::filesystem::create_symlink(path, clean.path() / "good.bcx.so");
  const auto catalog = clean.catalog();
  REQUIRE(catalog.findings().size() == 1);
  CHECK(catalog.findings()[0].reason == "the folder " +
                                            std::filesystem::canonical(folder.path()).string() +
                                            " is writable by everybody; chmod o-w");
}

TEST_CASE("who may have written a plugin") {
  constexpr uid_t me = 1000;
  constexpr gid_t mine = 1000;
  CHECK_FALSE(plugin::objection({me, mine, 0775}, me, mine));
  CHECK_FALSE(plugin::objection({0, 0, 0755}, me, mine));
  CHECK(plugin::objection({1001, mine, 0755}, me, mine) ==
        "belongs to user 1001, who is neither me nor root; use a copy of your own");
  CHECK(plugin::objection({me, 50, 0775}, me, mine) ==
        "is writable by group 50, which is not my own; chmod g-w");
  CHECK(plugin::objection({0, 0, 0777}, me, mine) == "is writable by everybody; chmod o-w");
}
