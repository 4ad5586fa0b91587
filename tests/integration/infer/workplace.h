// A folder with demo data and a small trained run, made once for all test cases of the program.
#pragma once

#include <map>
#include <nlohmann/json.hpp>

#include "tests/catch.h"
#include "tests/process.h"
#include "tracker/reader.h"

namespace bcx::test {

class Workplace {
 public:
  Workplace() {
    setenv("XDG_CACHE_HOME", (path() / "cache").c_str(), 1);
    unsetenv("BCX_TRACKER");
    unsetenv("BCX_DATA");
    need({"data", "demo", "demo", "--images", "72", "--patients", "9"});
    std::ofstream(path() / "small.toml") << R"(
[experiment]
name = "small"
[data]
source = "breakhis"
root = "demo"
image_size = 64
[model]
backbone = "resnet18"
weights = "none"
[[augmentation]]
name = "flip"
horizontal = 0.5
vertical = 0.5
[optimizer]
name = "adam"
learning_rate = 1e-3
[train]
epochs = 2
batch_size = 16
device = "cpu"
precision = "fp32"
[[callback]]
name = "checkpoint"
monitor = "val.loss"
mode = "min"
[evaluate]
tta = 2
threshold = "youden"
)";
    need({"run", "small.toml", "--quiet"});
  }

  Outcome bcx(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), (build_dir() / "bin/bcx").string());
    return run_process(std::move(arguments), path(), path());
  }
  /// A command of the shell in the folder, `bcx` being the program.
  Outcome shell(const std::string& command) const {
    return run_process(
        {"/bin/sh", "-c",
         "bcx() { '" + (build_dir() / "bin/bcx").string() + "' \"$@\"; }; " + command},
        path(), path());
  }
  Outcome need(const std::vector<std::string>& arguments) const {
    auto done = bcx(arguments);
    INFO(done.err);
    REQUIRE(done.code == 0);
    return done;
  }
  void fails(const std::vector<std::string>& arguments, int code, const std::string& error) const {
    const auto done = bcx(arguments);
    CHECK(done.err == error);
    CHECK(done.code == code);
  }

  tracker::Reader reader() const { return tracker::Reader(path() / "runs/bcx.db"); }
  tracker::RunShown run(const std::string& name) const {
    const auto reader = this->reader();
    return reader.run(reader.find(name).id);
  }
  /// Logits of a run's evaluation by the sample's name.
  std::map<std::string, std::vector<float>> logits(const std::string& name,
                                                   const std::string& purpose) const {
    const auto reader = this->reader();
    std::map<std::string, std::vector<float>> all;
    for (const auto& one : reader.evaluations(reader.find(name).id))
      if (one.row.part == "test" && one.row.purpose == purpose)
        for (const auto& prediction : reader.predictions(one.id))
          all[prediction.name] = prediction.logits;
    return all;
  }
  const std::filesystem::path& path() const { return folder_.path(); }

 private:
  TemporaryFolder folder_;
};

/// The one that all cases read; what they add has names of its own.
inline const Workplace& workplace() {
  static const Workplace here;
  return here;
}

/// JSON lines by path.
inline std::map<std::string, nlohmann::json> json_lines(const std::string& text) {
  std::map<std::string, nlohmann::json> all;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    auto json = nlohmann::json::parse(line);
    const auto path = json.at("path").get<std::string>();
    all[path] = std::move(json);
  }
  return all;
}

}  // namespace bcx::test
