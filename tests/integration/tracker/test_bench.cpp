// `bcx bench tracker`: every figure is there, and what must not depend on the machine holds.
#include <map>
#include <nlohmann/json.hpp>

#include "tests/catch.h"
#include "tests/process.h"

using namespace bcx::test;

TEST_CASE("bcx bench tracker measures everything and loses nothing") {
  TemporaryFolder folder;
  const auto result = run_process({(build_dir() / "bin/bcx").string(), "bench", "tracker", "--json",
                                   "--folder", folder.path().string()},
                                  folder.path());
  REQUIRE(result.code == 0);
  std::map<std::string, double> figures;
  for (const auto& one : nlohmann::json::parse(result.out))
    figures[one["what"].get<std::string>()] = one["value"].get<double>();
  for (const char* what :
       {"a metric on the training thread", "points stored", "curve of a million points, work",
        "killed: age of the oldest step row lost", "bcx --version",
        "bcx runs over 10,000 runs, filtered and sorted", "bcx curve of a million points"}) {
    INFO(what);
    CHECK(figures.contains(what));
  }
  CHECK(figures.at("killed: epoch rows lost") == 0);
  CHECK(figures.at("writers at once: failed") == 0);
  CHECK(figures.at("writers at once: rows lost") == 0);
  // Its output alone is left of what it made.
  for (const auto& entry : std::filesystem::directory_iterator(folder.path()))
    CHECK(entry.path().filename().string().find("bcx-bench") == std::string::npos);
}
