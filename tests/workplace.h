// A folder to run bcx in, as a user does: real processes, a cache of its own, and nothing of what
// the machine's user has set.
#pragma once

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/catch.h"
#include "tests/process.h"

namespace bcx::test {

/// What experiments on drawn pictures have in common; they say `extends = ["demo.toml"]`.
constexpr const char* demo_experiment = R"(
[data]
source = "breakhis"
root = "demo"
image_size = 32
[model]
weights = "none"
[train]
device = "cpu"
precision = "fp32"
)";

class Workplace {
 public:
  Workplace() {
    setenv("XDG_CACHE_HOME", (folder_ / "cache").c_str(), 1);
    unsetenv("BCX_TRACKER");
    unsetenv("BCX_DATA");
  }
  /// With `images` of `patients` drawn under demo/, demo.toml, and `experiment` as NAME.toml.
  Workplace(const std::string& name, const std::string& experiment, int images, int patients)
      : Workplace() {
    need({"data", "demo", "demo", "--images", std::to_string(images), "--patients",
          std::to_string(patients)});
    write("demo.toml", demo_experiment);
    write(name + ".toml", experiment);
  }

  const std::filesystem::path& path() const { return folder_.path(); }
  void write(const std::string& file, const std::string& text) const {
    std::ofstream(folder_ / file) << text;
  }

  std::vector<std::string> command(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), (build_dir() / "bin/bcx").string());
    return arguments;
  }
  Outcome bcx(const std::vector<std::string>& arguments) const {
    return run_process(command(arguments), path(), path());
  }
  /// A command that has to succeed.
  Outcome need(const std::vector<std::string>& arguments) const {
    auto done = bcx(arguments);
    INFO(done.err);
    REQUIRE(done.code == 0);
    return done;
  }
  /// The JSON that a command prints.
  nlohmann::json ask(const std::vector<std::string>& arguments) const {
    return nlohmann::json::parse(need(arguments).out);
  }

 private:
  TemporaryFolder folder_;
};

}  // namespace bcx::test
