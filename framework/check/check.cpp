#include "check/check.h"

#include <fmt/ranges.h>

#include "base/error.h"
#include "check/checks.h"
#include "check/file_checks.h"

namespace bcx::check {
namespace {

std::vector<Check> checks_of(const config::ComponentSpec& spec) {
  switch (spec.kind) {
    case config::ComponentKind::backbone:
      return backbone_checks(spec);
    case config::ComponentKind::augmentation:
      return augmentation_checks(spec);
    case config::ComponentKind::optimizer:
      return optimizer_checks(spec);
    case config::ComponentKind::callback:
      return callback_checks(spec);
    case config::ComponentKind::preprocess:
      return {};
  }
  return {};
}

void check_component(const config::ComponentSpec& spec, const Options& options,
                     const Report& report) {
  const std::string title = fmt::format("{} \"{}\"", name_of(spec.kind), spec.name);
  if (const auto paths = required_paths(spec); !paths.empty()) {
    report({title, "parameters", Status::skipped,
            fmt::format("a value of {} is known to you alone", fmt::join(paths, ", ")),
            "give it a default to have the component checked"});
    return;
  }
  if (spec.kind == config::ComponentKind::preprocess) {
    report({title, "fit", Status::skipped, "preprocess components are checked as files alone"});
    return;
  }
  for (const auto& check : checks_of(spec))
    report(in_child(title, check.name, options.time_limit, check.body, check.ending));
}

class AllChecks final : public Checker {
 public:
  std::vector<Result> check(const std::filesystem::path& told, const Options& options,
                            const Listener& listener) const override {
    std::error_code failed;
    const auto file = std::filesystem::canonical(told, failed);
    if (failed)
      throw Error(ExitCode::plugin,
                  {fmt::format("cannot be opened: {}", failed.message()), told.string(), {}});
    std::vector<Result> results;
    const Report report = [&](Result result) {
      listener(result);
      results.push_back(std::move(result));
      return results.back().status != Status::failed;
    };
    if (const auto plugin = check_file(file, options, report))
      for (const auto& component : plugin->manifest.components)
        check_component(component, options, report);
    return results;
  }
};

}  // namespace
}  // namespace bcx::check

const bcx::check::Checker* bcx_checker() {
  static const bcx::check::AllChecks checker;
  return &checker;
}
