// Runs of a folder to run bcx in: what they recorded, what they saved.
#pragma once

#include <algorithm>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "tests/workplace.h"
#include "weights/safetensors.h"

namespace bcx::test {

struct RunWorkplace : Workplace {
  using Workplace::Workplace;

  nlohmann::json runs() const { return ask({"runs", "--json"}); }
  nlohmann::json run_named(const std::string& name) const {
    for (const auto& run : runs())
      if (run.at("name") == name) return run;
    return {};
  }
  /// `bcx show @last --json`.
  nlohmann::json shown() const { return ask({"show", "@last", "--json"}); }

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
    std::error_code none;  // a run that was killed before its first one has no folder for them
    for (const auto& folder : std::filesystem::directory_iterator(path() / "runs"))
      if (folder.path().filename().string().starts_with(name + "-"))
        for (const auto& file :
             std::filesystem::directory_iterator(folder.path() / "checkpoints", none))
          found.push_back(file.path());
    return found;
  }
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
