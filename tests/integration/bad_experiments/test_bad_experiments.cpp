// Experiment files that are wrong, each with its pinned message: through the library, with the
// manifests of the source tree, and through the `bcx check` process where plugins are built.
//
// NAME.toml is the file, NAME.args more arguments (one a line), NAME.expected the exit code and the
// messages. BCX_WRITE_EXPECTED=1 writes the .expected files anew: read the diff.

#include <fmt/format.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <set>

#include "base/paths.h"
#include "base/text.h"
#include "config/load.h"
#include "eval/metric_names.h"
#include "plugin/catalog.h"
#include "tests/catch.h"
#include "tools/docs/source_catalog.h"

namespace fs = std::filesystem;
using namespace bcx;

namespace {

const fs::path& here() {
  static const fs::path path = test::source_dir() / "tests/integration/bad_experiments";
  return path;
}

std::string content(const fs::path& path) {
  return fs::exists(path) ? read_text(path, 1 << 20, ExitCode::other) : std::string{};
}

std::vector<std::string> lines(const std::string& text) {
  auto out = split(text, '\n');
  if (!out.empty() && out.back().empty()) out.pop_back();
  return out;
}

/// Paths of this machine as `HERE`.
std::string neutral(std::string text) {
  const std::string root = here().string();
  for (auto at = text.find(root); at != std::string::npos; at = text.find(root, at))
    text.replace(at, root.size(), "HERE");
  return text;
}

/// Every NAME that has a NAME.expected, or (for writing them) every NAME.toml.
std::vector<std::string> cases(const char* extension) {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(here()))
    if (entry.path().extension() == extension) names.insert(entry.path().stem());
  names.erase("cycle_b");
  return {names.begin(), names.end()};
}

/// What needs built plugin files and not only their manifests.
bool only_by_process(const std::string& name) {
  return name == "broken_plugin";
}

std::string by_library(const std::string& name) {
  config::LoadOptions options;
  options.file = name + ".toml";
  options.working_directory = here();
  options.metrics = eval::metric_names();
  const auto arguments = lines(content(here() / (name + ".args")));
  for (std::size_t i = 0; i + 1 < arguments.size(); i += 2)
    options.sets.push_back(arguments[i + 1]);
  const docs::SourceCatalog catalog(test::source_dir());
  const auto text = [](const Error& error) {
    return fmt::format("exit {}\n{}\n", static_cast<int>(error.code()), neutral(error.what()));
  };
  try {
    auto missing = config::check_files(config::load_experiment(options, catalog));
    return missing.empty() ? "exit 0\n" : text(ErrorList(std::move(missing)));
  } catch (const Error& error) {
    return text(error);
  }
}

std::string by_process(const std::string& name) {
  std::string command = fmt::format(
      "cd '{}' && env -u BCX_DATA -u BCX_TRACKER -u BCX_PLUGIN_PATH XDG_DATA_HOME=/nonexistent "
      "'{}' check '{}.toml'",
      here().string(), (test::build_dir() / "bin/bcx").string(), name);
  for (const auto& argument : lines(content(here() / (name + ".args"))))
    command += " '" + argument + "'";
  FILE* pipe = popen((command + " 2>&1 >/dev/null").c_str(), "r");
  std::string said;
  for (int c = 0; (c = std::fgetc(pipe)) != EOF;) said += static_cast<char>(c);
  const int status = pclose(pipe);
  std::string out = fmt::format("exit {}\n", WIFEXITED(status) ? WEXITSTATUS(status) : -1);
  for (const auto& line : lines(said)) {
    if (line.starts_with("error: "))
      out += neutral(line.substr(7)) + "\n";
    else if (!line.ends_with(" mistakes"))
      out += "unexpected: " + neutral(line) + "\n";
  }
  return out;
}

bool plugins_are_built() {
  plugin::Search search;
  search.environment = search.user = false;
  search.built_in = test::build_dir() / "lib/bcx/plugins";
  const plugin::PluginCatalog built(search);
  const docs::SourceCatalog source(test::source_dir());
  for (const auto kind : {config::ComponentKind::backbone, config::ComponentKind::augmentation,
                          config::ComponentKind::preprocess, config::ComponentKind::optimizer,
                          config::ComponentKind::callback})
    if (built.names(kind) != source.names(kind)) return false;
  return fs::exists(test::build_dir() / "bin/bcx");
}

}  // namespace

TEST_CASE("every wrong experiment file gets its message") {
  if (std::getenv("BCX_WRITE_EXPECTED"))
    for (const auto& name : cases(".toml"))
      if (!only_by_process(name)) std::ofstream(here() / (name + ".expected")) << by_library(name);
  const auto names = cases(".expected");
  CHECK(names.size() >= 20);
  CHECK(names == cases(".toml"));
  for (const auto& name : names) {
    if (only_by_process(name)) continue;
    INFO(name);
    CHECK(by_library(name) == content(here() / (name + ".expected")));
  }
}

TEST_CASE("bcx check says the same") {
  if (!plugins_are_built()) BCX_SKIP("not all plugins are built");
  for (const auto& name : cases(".expected")) {
    INFO(name);
    CHECK(by_process(name) == content(here() / (name + ".expected")));
  }
}
