#include "engine/seen_before.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>

#include "base/error.h"
#include "base/text.h"

namespace bcx::engine {
namespace {

using data::Part;
using train::Tone;

constexpr std::size_t examples_shown = 5;

/// What decoding tells of an image that was seen.
struct Seen {
  data::ImageFacts facts;
  int label = 0;
};

/// The run's own images by name; none when they are not what the run was trained on.
std::optional<std::unordered_map<std::string, Seen>> decode_seen(const EvaluateRequest& request,
                                                                 const nlohmann::json& preprocess,
                                                                 train::Observer& observer) {
  const auto cannot = [&](const std::string& why) {
    observer.message(Tone::warning,
                     fmt::format("the images that {} was trained on {}: pictures are compared by "
                                 "their names alone",
                                 printable(request.trained_by), why));
    return std::nullopt;
  };
  try {
    auto data = decode_table(request.trained_on, request.run.catalog, observer, preprocess);
    if (data.hash != request.trained_data) return cannot("have changed since");
    std::unordered_map<std::string, Seen> seen;
    for (std::size_t i = 0; i < data.decoded.table.samples.size(); ++i) {
      const auto& sample = data.decoded.table.samples[i];
      seen.emplace(sample.relative, Seen{std::move(data.decoded.facts[i]), sample.label});
    }
    return seen;
  } catch (const Error& error) {
    if (error.code() != ExitCode::data) throw;
    return cannot("cannot be read any more");
  }
}

/// Both sides as one table: what was seen is the training part, the data are the test part.
struct Union {
  data::SampleTable table;
  data::Split split;
  std::vector<data::ImageFacts> facts;
};

Union both_sides(const EvaluateRequest& request, const PreparedData& data) {
  Union both{data.decoded.table, data.split, data.decoded.facts};
  const auto& names = both.table.attribute_names;
  for (const auto& seen : request.seen) {
    data::Sample sample;
    sample.relative = seen.name;
    sample.attributes.resize(names.size());
    for (const auto& [name, value] : seen.attributes)
      if (const auto column = both.table.attribute(name)) sample.attributes[*column] = value;
    both.table.samples.push_back(std::move(sample));
    both.split.parts.push_back(Part::train);
    data::ImageFacts unknown;
    unknown.problem = "not compared";
    both.facts.push_back(std::move(unknown));
  }
  return both;
}

/// Images of the same name. A name says less than pixels do: it is asked where they cannot be.
void find_same_names(data::AuditReport& report, const EvaluateRequest& request,
                     const PreparedData& data) {
  std::set<std::string_view> seen;
  for (const auto& sample : request.seen) seen.insert(sample.name);
  data::Finding finding{"identical_image", "", 0, {}, {}, false};
  for (const auto& sample : data.decoded.table.samples) {
    if (!seen.contains(sample.relative)) continue;
    ++finding.count;
    if (finding.examples.size() < examples_shown) finding.examples.push_back(sample.relative);
  }
  if (finding.count == 0) return;
  finding.text =
      fmt::format("{} images have the names of images in different parts", finding.count);
  const auto& allow = request.run.experiment.data.allow;
  finding.allowed = std::find(allow.begin(), allow.end(), finding.name) != allow.end();
  if (finding.allowed) report.stamps.push_back("IDENTICAL_IMAGE");
  report.findings.push_back(std::move(finding));
}

std::string sentence(const data::Finding& finding, const std::string& trained_by) {
  const auto run = printable(trained_by);
  if (finding.name == "group_overlap")
    return fmt::format("{} of \"{}\" in these data {} among those that {} was trained on",
                       finding.count == 1 ? "1 value" : fmt::format("{} values", finding.count),
                       printable(finding.key), finding.count == 1 ? "is" : "are", run);
  if (finding.name == "identical_image")
    return fmt::format("images that {} was trained on are among these data", run);
  if (finding.name == "near_duplicate")
    return fmt::format("images nearly the same as some that {} was trained on are among these data",
                       run);
  return finding.text;
}

}  // namespace

data::AuditReport audit_against_seen(const EvaluateRequest& request, const PreparedData& data,
                                     const nlohmann::json& preprocess, train::Observer& observer) {
  auto both = both_sides(request, data);
  const auto known = decode_seen(request, preprocess, observer);
  for (std::size_t i = data.decoded.table.samples.size(); known && i < both.facts.size(); ++i)
    if (const auto found = known->find(both.table.samples[i].relative); found != known->end()) {
      both.facts[i] = found->second.facts;
      both.table.samples[i].label = found->second.label;
    }
  const auto& config = request.run.experiment.data;
  auto report = data::audit(both.table, both.split, &both.facts, config.allow, config.patient);
  if (!known) find_same_names(report, request, data);
  return report;
}

void require_unseen(const data::AuditReport& report, const std::string& trained_by) {
  std::vector<Error> errors;
  for (const auto& finding : report.findings) {
    if (finding.allowed) continue;
    std::vector<std::string> examples;
    for (const auto& example : finding.examples) examples.push_back(printable(example));
    const bool overlap = finding.name == "group_overlap";
    errors.emplace_back(
        ExitCode::data,
        ErrorParts{fmt::format("{} ({})", sentence(finding, trained_by), join(examples, "; ")),
                   "audit",
                   fmt::format("{}, or allow it: --allow {}{}",
                               overlap ? "evaluate on other patients" : "leave them out",
                               finding.name, overlap ? " (stamps the run LEAKY)" : "")});
  }
  if (!errors.empty()) throw ErrorList(std::move(errors));
}

}  // namespace bcx::engine
