// A folder to run bcx in, as a user does: demo data, an experiment, real processes, a cache of its
// own.
#pragma once

#include <algorithm>
#include <cstring>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/catch.h"
#include "tests/process.h"
#include "weights/safetensors.h"

namespace bcx::test {

class Workplace {
 public:
  /// `images` of `patients` under demo/, and `experiment` as NAME.toml.
  Workplace(const char* name, const char* experiment, int images, int patients) {
    setenv("XDG_CACHE_HOME", (folder_ / "cache").c_str(), 1);
    unsetenv("BCX_TRACKER");
    unsetenv("BCX_DATA");
    const auto demo = bcx({"data", "demo", "demo", "--images", std::to_string(images), "--patients",
                           std::to_string(patients)});
    INFO(demo.err);
    REQUIRE(demo.code == 0);
    write(std::string(name) + ".toml", experiment);
  }

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
  const std::filesystem::path& path() const { return folder_.path(); }

  nlohmann::json runs() const {
    const auto listed = bcx({"runs", "--json"});
    INFO(listed.err);
    REQUIRE(listed.code == 0);
    return nlohmann::json::parse(listed.out);
  }
  nlohmann::json run_named(const std::string& name) const {
    for (const auto& run : runs())
      if (run.at("name") == name) return run;
    return {};
  }
  /// `bcx show @last --json`.
  nlohmann::json shown() const {
    const auto done = bcx({"show", "@last", "--json"});
    INFO(done.err);
    REQUIRE(done.code == 0);
    return nlohmann::json::parse(done.out);
  }

  /// Of a run, oldest first.
  std::vector<std::filesystem::path> last_checkpoints(const std::string& name) const {
    std::vector<std::filesystem::path> found;
    for (const auto& file : checkpoints(name))
      if (file.filename().string().starts_with("last-")) found.push_back(file);
    std::sort(found.begin(), found.end());
    REQUIRE_FALSE(found.empty());
    return found;
  }
  std::filesystem::path newest_checkpoint(const std::string& name) const {
    return last_checkpoints(name).back();
  }
  std::vector<std::filesystem::path> checkpoints(const std::string& name) const {
    std::vector<std::filesystem::path> found;
    for (const auto& folder : std::filesystem::directory_iterator(folder_ / "runs"))
      if (folder.path().filename().string().starts_with(name + "-"))
        for (const auto& file : std::filesystem::directory_iterator(folder.path() / "checkpoints"))
          found.push_back(file.path());
    return found;
  }

 private:
  TemporaryFolder folder_;
};

/// Every tensor of both files, byte for byte.
inline void require_same_tensors(const std::filesystem::path& a, const std::filesystem::path& b) {
  const auto first = weights::SafetensorsFile::open(a), second = weights::SafetensorsFile::open(b);
  REQUIRE(first.tensors().size() == second.tensors().size());
  for (const auto& tensor : first.tensors()) {
    const auto* twin = second.find(tensor.name);
    INFO(tensor.name);
    REQUIRE(twin);
    REQUIRE(tensor.bytes.size() == twin->bytes.size());
    REQUIRE(std::memcmp(tensor.bytes.data(), twin->bytes.data(), tensor.bytes.size()) == 0);
  }
}

/// JSON has no NaN: null stands for it.
inline double number(const nlohmann::json& value) {
  return value.is_null() ? 1e300 : value.get<double>();
}

/// A run's metrics without what depends on the clock and the machine.
inline std::map<std::string, double> results(const nlohmann::json& run) {
  std::map<std::string, double> values;
  for (const auto& [name, value] : run.at("metrics").items())
    if (!name.starts_with("time.") && name != "images_per_second" && name != "memory.peak")
      values[name] = number(value.is_object() ? value.at("last") : value);
  return values;
}

}  // namespace bcx::test
