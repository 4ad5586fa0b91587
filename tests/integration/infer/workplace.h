// A folder with demo data and a small trained run, made once for all test cases of the program.
#pragma once

#include <map>

#include "tests/workplace.h"
#include "tracker/reader.h"

namespace bcx::test {

class TrainedWorkplace : public Workplace {
 public:
  TrainedWorkplace() : Workplace("small", experiment, 72, 9) {
    need({"run", "small.toml", "--quiet"});
  }

  /// A command of the shell in the folder, `bcx` being the program.
  Outcome shell(const std::string& command) const {
    return run_process(
        {"/bin/sh", "-c",
         "bcx() { '" + (build_dir() / "bin/bcx").string() + "' \"$@\"; }; " + command},
        path(), path());
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

 private:
  static constexpr const char* experiment = R"(
extends = ["demo.toml"]
[data]
image_size = 64
[model]
backbone = "resnet18"
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
[[callback]]
name = "checkpoint"
monitor = "val.loss"
mode = "min"
[evaluate]
tta = 2
threshold = "youden"
)";
};

/// The one that all cases read; what they add has names of its own.
inline const TrainedWorkplace& workplace() {
  static const TrainedWorkplace here;
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
