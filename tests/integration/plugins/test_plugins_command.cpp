// `bcx plugins` as a process: what it prints, word for word, and its exit codes.

#include <sys/wait.h>

#include <cstdio>
#include <nlohmann/json.hpp>

#include "plugin/catalog.h"
#include "tests/unit/plugin/fixture.h"

using namespace bcx;
using namespace bcx::test;

namespace {

struct Outcome {
  std::string text;  // both streams
  int code = -1;
};

// Runs bcx with nothing but its own plugins and the given arguments.
Outcome bcx_command(const std::string& arguments) {
  const std::string command = "env -u BCX_PLUGIN_PATH -u COLUMNS XDG_DATA_HOME=/nonexistent '" +
                              (build_dir() / "bin/bcx").string() + "' " + arguments + " 2>&1";
  FILE* pipe = popen(command.c_str(), "r");
  REQUIRE(pipe);
  Outcome outcome;
  char buffer[4096];
  while (const auto got = fread(buffer, 1, sizeof buffer, pipe)) outcome.text.append(buffer, got);
  const int status = pclose(pipe);
  outcome.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return outcome;
}

struct Plugins {
  PluginFolder folder;
  std::filesystem::path file = folder.add("good.bcx.so", read_bytes(good_plugin()));
  std::string option = "--plugin-path '" + folder.path().string() + "'";
};

}  // namespace

TEST_CASE("plugins show") {
  const Plugins plugins;
  const auto abi = plugin::inspect(plugins.file);
  const auto shown = bcx_command("plugins show count " + plugins.option);
  CHECK(shown.code == 0);
  CHECK(shown.text ==
        "callback \"count\": Counts epochs.\n"
        "plugin good 1.2.3 (" +
            std::filesystem::canonical(plugins.file).string() + ")\nbuilt with " +
            abi.abi.compiler + ", build id " + abi.build_id +
            "\n\n"
            "parameter  type  default  range  unit    meaning\n"
            "every      int   1        >= 1   epochs  Counts each n-th epoch.\n");
  const auto lines = bcx_command("plugins show count --toml " + plugins.option);
  CHECK(lines.code == 0);
  CHECK(lines.text ==
        "[[callback]]\nname = \"count\"\nevery = 1  # >= 1; epochs; Counts each n-th epoch.\n");
  const auto none = bcx_command("plugins show refuse --toml " + plugins.option);
  CHECK(none.text == "[[callback]]\nname = \"refuse\"\n");
}

TEST_CASE("plugins show of a name that is not there") {
  const Plugins plugins;
  const auto wrong = bcx_command("plugins show refuze " + plugins.option);
  CHECK(wrong.code == 4);
  CHECK(wrong.text ==
        "error: there is no component or plugin \"refuze\"; did you mean \"refuse\"?\n");
  const auto far = bcx_command("plugins show xylophone_quintet " + plugins.option);
  CHECK(far.text ==
        "error: there is no component or plugin \"xylophone_quintet\"; `bcx plugins "
        "list` shows what there is\n");
}

TEST_CASE("plugins list names what is used and, below, what is not") {
  Plugins plugins;
  const auto broken = plugins.folder.add("broken.bcx.so", "text");
  const auto listed = bcx_command("plugins list --kind callback " + plugins.option);
  CHECK(listed.code == 0);
  CHECK(listed.text.starts_with("component"));
  CHECK(listed.text.find("\ncount ") != std::string::npos);
  CHECK(listed.text.find("  Throws when it is built.\n") != std::string::npos);
  CHECK(listed.text.find(
            "\nnot used:\n  " +
            (std::filesystem::canonical(plugins.folder.path()) / "broken.bcx.so").string() +
            ": is no shared library; remove it or rename it\n") != std::string::npos);
}

TEST_CASE("plugins list --json") {
  Plugins plugins;
  plugins.folder.add("broken.bcx.so", "text");
  const auto listed = bcx_command("plugins list --kind callback --json " + plugins.option);
  CHECK(listed.code == 0);
  const auto json = nlohmann::json::parse(listed.text);
  REQUIRE(json["not_used"].size() == 1);
  CHECK(json["not_used"][0]["reason"] == "is no shared library; remove it or rename it");
  for (const auto& component : json["components"]) {
    CHECK(component["kind"] == "callback");
    if (component["name"] != "count") continue;
    CHECK(component["plugin"] == "good");
    CHECK(component["version"] == "1.2.3");
    CHECK(component["params"] ==
          nlohmann::json::parse(R"([{"name": "every", "type": "int", "default": 1, "min": 1.0,
                                     "unit": "epochs", "doc": "Counts each n-th epoch."}])"));
  }
}

TEST_CASE("help of plugins, with an example each") {
  CHECK(bcx_command("plugins list --help").text.find("Example: bcx plugins list --kind backbone") !=
        std::string::npos);
  CHECK(bcx_command("plugins show --help").text.find("Example: bcx plugins show rotate --toml") !=
        std::string::npos);
  CHECK(bcx_command("plugins list --kind model").code == 2);
}
