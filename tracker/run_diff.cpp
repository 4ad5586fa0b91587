#include "tracker/run_diff.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/text.h"

namespace bcx::tracker {
namespace {

using Facts = std::map<std::string, std::string>;

/// A text in quotes only where it could be taken for another type.
std::string text_of(const ParamShown& param) {
  if (const auto* flag = std::get_if<bool>(&param.value)) return *flag ? "true" : "false";
  if (const auto* whole = std::get_if<std::int64_t>(&param.value)) return fmt::format("{}", *whole);
  if (const auto* real = std::get_if<double>(&param.value)) return shortest(*real);
  const auto& text = std::get<std::string>(param.value);
  const bool doubtful = text.empty() || text == "true" || text == "false" || text == "nan" ||
                        text == "inf" || text == "-inf" || text[0] == '"' || text[0] == '[' ||
                        text.find_first_not_of("0123456789+-.eE_") == std::string::npos;
  return !param.list && doubtful ? "\"" + text + "\"" : text;
}

Facts parameters(const RunShown& run) {
  Facts facts;
  for (const auto& [key, param] : run.params) facts[key] = text_of(param);
  return facts;
}

Facts plugins(const Reader& reader, const RunShown& run) {
  Facts facts;
  for (const auto& one : reader.plugins(run.id))
    facts[one.kind + " " + one.name] = one.version + " " + one.build_id;
  return facts;
}

Facts data(const Reader& reader, const RunShown& run) {
  const auto split = reader.split(run.id);
  if (!split) return {};
  Facts facts{{"data set", split->dataset.hash},
              {"source", split->dataset.source},
              {"classes", join(split->dataset.classes, ", ")},
              {"images", fmt::format("{}", split->samples)},
              {"split", split->row.hash}};
  if (split->row.folds > 0)
    facts["fold"] = fmt::format("{} of {}", split->row.fold, split->row.folds);
  return facts;
}

Facts code(const RunShown& run) {
  Facts facts;
  if (!run.git_commit.empty()) facts["git"] = run.git_commit;
  if (!run.version.empty()) facts["bcx"] = run.version;
  return facts;
}

Facts environment(const Reader& reader, const RunShown& run) {
  Facts facts;
  for (const auto& [key, value] : reader.system(run.id)) facts[key] = value;
  facts["host"] = run.host;
  return facts;
}

void add_differences(std::vector<Difference>& out, const char* section,
                     const std::vector<Facts>& runs) {
  std::map<std::string, std::vector<std::optional<std::string>>> by_key;
  for (std::size_t i = 0; i < runs.size(); ++i)
    for (const auto& [key, value] : runs[i]) {
      auto& values = by_key[key];
      values.resize(runs.size());
      values[i] = value;
    }
  for (auto& [key, values] : by_key)
    if (std::any_of(values.begin(), values.end(),
                    [&first = values[0]](const auto& one) { return one != first; }))
      out.push_back({section, key, std::move(values)});
}

}  // namespace

std::vector<Difference> parameter_differences(const std::vector<RunShown>& runs) {
  std::vector<Difference> out;
  std::vector<Facts> facts;
  for (const auto& run : runs) facts.push_back(parameters(run));
  add_differences(out, "parameters", facts);
  return out;
}

std::vector<Difference> run_differences(const Reader& reader, const std::vector<RunShown>& runs) {
  auto out = parameter_differences(runs);
  const auto section = [&](const char* name, auto facts_of) {
    std::vector<Facts> facts;
    for (const auto& run : runs) facts.push_back(facts_of(run));
    add_differences(out, name, facts);
  };
  section("plugins", [&](const RunShown& run) { return plugins(reader, run); });
  section("data", [&](const RunShown& run) { return data(reader, run); });
  section("code", code);
  section("environment", [&](const RunShown& run) { return environment(reader, run); });
  return out;
}

}  // namespace bcx::tracker
