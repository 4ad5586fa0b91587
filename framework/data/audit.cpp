#include "data/audit.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <set>

#include "base/error.h"
#include "base/text.h"
#include "data/audit_pictures.h"
#include "data/overlap.h"
#include "data/scan.h"

namespace bcx::data {
namespace {

constexpr std::array<Part, 3> compared_parts{Part::train, Part::validation, Part::test};

std::string plural(std::int64_t count, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", grouped(count), count == 1 ? one : many);
}

void find_group_overlap(AuditReport& report, const SampleTable& table, const Split& split) {
  for (const auto& key : report.keys) {
    const auto found = overlaps(table, split.parts, *table.attribute(key));
    if (found.empty()) continue;
    Finding finding{"group_overlap", key, static_cast<std::int64_t>(found.size()), {}, {}, false};
    finding.text = fmt::format("{} of \"{}\" in more than one part",
                               plural(finding.count, "value", "values"), printable(key));
    for (const auto& overlap : found) {
      if (finding.examples.size() == audit_examples) break;
      std::vector<std::string> parts;
      for (const Part part : compared_parts) {
        const auto images = overlap.images[static_cast<std::size_t>(part)];
        if (images > 0) parts.push_back(fmt::format("{} {}", images, name_of(part)));
      }
      finding.examples.push_back(overlap.value + ": " + join(parts, ", "));
    }
    report.findings.push_back(std::move(finding));
  }
}

void find_missing_classes(AuditReport& report, const SampleTable& table, const Split& split) {
  Finding finding{"missing_class", "", 0, {}, {}, false};
  for (const Part part : compared_parts) {
    // One group at a time is usually of one class: the folds are pooled there.
    if (part == Part::test && split.method == "leave_one_group_out") continue;
    const auto column = static_cast<std::size_t>(part);
    const auto has = [&](const auto& row) { return row[column] > 0; };
    if (std::none_of(split.images.begin(), split.images.end(), has)) continue;
    for (std::size_t k = 0; k < table.classes.size(); ++k) {
      if (split.images[k][column] > 0) continue;
      ++finding.count;
      if (finding.examples.size() < audit_examples) {
        finding.examples.push_back(fmt::format("no \"{}\" in {}", table.classes[k], name_of(part)));
      }
    }
  }
  if (finding.count == 0) return;
  finding.text = "a part lacks a class";
  report.findings.push_back(std::move(finding));
}

// Over what the split kept together, else over the closest thing to a patient.
void find_one_group_classes(AuditReport& report, const SampleTable& table, const Split& split) {
  if (report.keys.empty()) return;
  const std::string& key = split.group.empty() ? report.keys.front() : split.group;
  const auto column = *table.attribute(key);
  std::vector<std::set<std::string_view>> groups(table.classes.size());
  for (std::size_t i = 0; i < table.samples.size(); ++i) {
    if (split.parts[i] == Part::unused) continue;
    groups[static_cast<std::size_t>(table.samples[i].label)].insert(
        table.samples[i].attributes[column]);
  }
  Finding finding{"one_group_class", key, 0, {}, {}, false};
  for (std::size_t k = 0; k < groups.size(); ++k) {
    if (groups[k].size() != 1) continue;
    ++finding.count;
    if (finding.examples.size() < audit_examples) {
      finding.examples.push_back(
          fmt::format("\"{}\" is all {}", table.classes[k], *groups[k].begin()));
    }
  }
  if (finding.count == 0) return;
  finding.text =
      fmt::format("{} one \"{}\" only: class and group cannot be told apart",
                  finding.count == 1 ? "a class comes from"
                                     : fmt::format("{} classes come each from", finding.count),
                  printable(key));
  report.findings.push_back(std::move(finding));
}

// BreakHis files slide 14-13412 under two tumour types, as two patients.
void note_slides_of_two_types(AuditReport& report, const SampleTable& table) {
  const auto slide = table.attribute("slide"), type = table.attribute("type");
  if (!slide || !type) return;
  std::map<std::string, std::set<std::string>> types;
  for (const auto& sample : table.samples) {
    if (!sample.attributes[*slide].empty()) {
      types[sample.attributes[*slide]].insert(sample.attributes[*type]);
    }
  }
  for (const auto& [value, of] : types) {
    if (of.size() < 2) continue;
    const std::vector<std::string> names(of.begin(), of.end());
    report.notes.push_back(fmt::format("slide {} is filed under {}", printable(value),
                                       printable(join(names, " and "))));
  }
}

void check_names(const std::vector<std::string>& allow) {
  for (const auto& name : allow) {
    const auto& known = audit_names();
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    const auto guess = did_you_mean(name, known);
    throw Error(ExitCode::usage,
                {fmt::format("no audit finding \"{}\"", printable(name)), "data.audit.allow",
                 guess.empty() ? "there are " + join(known, ", ") : guess});
  }
}

std::string stamp_of(const std::string& finding) {
  if (finding == "group_overlap") return "LEAKY";
  std::string stamp = finding;
  for (char& c : stamp) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return stamp;
}

std::string advice(const Finding& finding) {
  if (finding.name == "group_overlap") return "split by \"" + printable(finding.key) + "\"";
  if (finding.name == "identical_image") return "remove the copies";
  if (finding.name == "near_duplicate") return "look at them, and keep one of each";
  if (finding.name == "conflicting_label") return "correct the labels";
  if (finding.name == "missing_class") return "use fewer folds, larger shares or another seed";
  return "add groups";
}

}  // namespace

const std::vector<std::string>& audit_names() {
  static const std::vector<std::string> names{"group_overlap",  "identical_image",
                                              "near_duplicate", "conflicting_label",
                                              "missing_class",  "one_group_class"};
  return names;
}

bool AuditReport::clean() const {
  return std::all_of(findings.begin(), findings.end(),
                     [](const Finding& finding) { return finding.allowed; });
}

AuditReport audit(const SampleTable& table, const Split& split,
                  const std::vector<ImageFacts>* facts, const std::vector<std::string>& allow,
                  std::string_view patient) {
  check_names(allow);
  AuditReport report;
  report.keys = group_keys(table, patient, split.group);
  report.pixels = facts != nullptr;
  find_group_overlap(report, table, split);
  if (facts) compare_pictures(report, table, split, *facts);
  find_missing_classes(report, table, split);
  find_one_group_classes(report, table, split);
  note_slides_of_two_types(report, table);

  std::set<std::string> stamps(split.stamps.begin(), split.stamps.end());
  for (auto& finding : report.findings) {
    const bool by_image = finding.name == "group_overlap" && split.group.empty();
    finding.allowed =
        by_image || std::find(allow.begin(), allow.end(), finding.name) != allow.end();
    if (finding.allowed) stamps.insert(stamp_of(finding.name));
  }
  report.stamps.assign(stamps.begin(), stamps.end());
  return report;
}

void require_clean(const AuditReport& report) {
  std::vector<Error> errors;
  for (const auto& finding : report.findings) {
    if (finding.allowed) continue;
    std::vector<std::string> examples;
    for (const auto& example : finding.examples) examples.push_back(printable(example));
    errors.emplace_back(
        ExitCode::data,
        ErrorParts{fmt::format("{} ({})", finding.text, join(examples, "; ")), "audit",
                   fmt::format("{}, or allow it: data.audit.allow = [\"{}\"]", advice(finding),
                               finding.name)});
  }
  if (!errors.empty()) throw ErrorList(std::move(errors));
}

}  // namespace bcx::data
