// `bcx plugins check`: runs every check of a plugin file and says what it found.

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/shared_object.h"
#include "base/table.h"
#include "base/text.h"
#include "check/check.h"
#include "json_text.h"
#include "plugins_author.h"

namespace bcx::cli {
namespace {

using check::Result;
using check::Status;

struct Options {
  std::string file;
  double time_limit = 60;
  bool json = false;
};

const check::Checker& load_checker() {
  return *reinterpret_cast<const check::Checker* (*)()>(
      load_host_symbol("bcx_check", "bcx_checker"))();
}

const char* word(Status status) {
  switch (status) {
    case Status::passed:
      return "ok";
    case Status::failed:
      return "FAILED";
    case Status::skipped:
      return "skipped";
  }
  return "";
}

/// One line a result, under the name of what is checked; remedies on a line of their own.
class Lines {
 public:
  void print(const Result& result) {
    if (result.component != component_) fmt::print("{}\n", result.component);
    component_ = result.component;
    fmt::print("  {:<7}  {:<13}  {}\n", word(result.status), result.name, result.text);
    if (!result.remedy.empty()) fmt::print("{:27}{}\n", "", result.remedy);
    std::fflush(stdout);
  }

 private:
  std::string component_;
};

std::int64_t count(const std::vector<Result>& results, Status status) {
  return std::ranges::count(results, status, &Result::status);
}

nlohmann::ordered_json to_json(const Options& options, const std::vector<Result>& results) {
  nlohmann::ordered_json json{{"file", options.file},
                              {"passed", count(results, Status::failed) == 0},
                              {"checks", nlohmann::ordered_json::array()}};
  constexpr const char* words[] = {"passed", "failed", "skipped"};
  for (const auto& result : results) {
    nlohmann::ordered_json one{{"component", result.component},
                               {"check", result.name},
                               {"status", words[static_cast<int>(result.status)]},
                               {"text", result.text}};
    if (!result.remedy.empty()) one["remedy"] = result.remedy;
    one["seconds"] = result.seconds;
    json["checks"].push_back(std::move(one));
  }
  return json;
}

int check_file(const Options& options) {
  Lines lines;
  double seconds = 0;
  const auto results = load_checker().check(options.file, {.time_limit = options.time_limit},
                                            [&](const Result& result) {
                                              seconds += result.seconds;
                                              if (!options.json) lines.print(result);
                                            });
  const auto failed = count(results, Status::failed);
  if (options.json)
    fmt::print("{}\n", dump(to_json(options, results)));
  else
    fmt::print("{} checks, {} failed, {}\n", results.size(), failed, human_duration(seconds));
  return static_cast<int>(failed == 0 ? ExitCode::ok : ExitCode::plugin);
}

}  // namespace

void add_plugins_check(CLI::App& plugins, Action& action) {
  auto options = std::make_shared<Options>();
  auto* command = plugins.add_subcommand(
      "check",
      "Everything that can be found out about a plugin file; exit code 4 if something is wrong");
  command->add_option("FILE", options->file, "NAME.bcx.so")->required();
  command->add_flag("--json", options->json, "One JSON object");
  command->add_option("--time-limit", options->time_limit, "For each check")
      ->type_name("SECONDS")
      ->check(CLI::Range(0.1, 86400.0))
      ->capture_default_str();
  command->footer("Example: bcx plugins check build/my_net.bcx.so");
  command->callback([options, &action] { action = [options] { return check_file(*options); }; });
}

}  // namespace bcx::cli
