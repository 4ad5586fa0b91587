// `bcx plugins check` as a process.
#pragma once

#include <nlohmann/json.hpp>

#include "tests/catch.h"
#include "tests/process.h"

namespace bcx::test {

inline Outcome check_process(const std::filesystem::path& file,
                             std::vector<std::string> more = {}) {
  static const TemporaryFolder folder;
  std::vector<std::string> arguments{(build_dir() / "bin/bcx").string(), "plugins", "check",
                                     file.string()};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return run_process(std::move(arguments), folder.path());
}

/// What failed: `component/check: text; remedy`.
inline std::vector<std::string> findings(const nlohmann::json& report) {
  std::vector<std::string> lines;
  for (const auto& check : report.at("checks")) {
    if (check.at("status") != "failed") continue;
    std::string line = check.at("component").get<std::string>() + "/" +
                       check.at("check").get<std::string>() + ": " +
                       check.at("text").get<std::string>();
    if (check.contains("remedy")) line += "; " + check.at("remedy").get<std::string>();
    lines.push_back(std::move(line));
  }
  return lines;
}

inline nlohmann::json check_report(const std::filesystem::path& file, const char* limit = "120") {
  const auto outcome = check_process(file, {"--json", "--time-limit", limit});
  INFO(outcome.err);
  CHECK(outcome.code == (nlohmann::json::parse(outcome.out).at("passed") ? 0 : 4));
  return nlohmann::json::parse(outcome.out);
}

}  // namespace bcx::test
