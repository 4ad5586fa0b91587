// The section that sets several runs side by side.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/text.h"
#include "report/charts.h"
#include "report/coverage_text.h"
#include "report/sections.h"
#include "report/verdict.h"
#include "report/words.h"
#include "tracker/run_diff.h"

namespace bcx::report {
namespace {

constexpr std::array headline{
    "auc",         "accuracy",    "majority_baseline", "balanced_accuracy",
    "sensitivity", "specificity", "patient.accuracy",  "patient.auc"};

std::string run_name(const std::vector<Study>& studies, std::size_t i) {
  return letter_of(i) + " " + studies[i].run.name;
}

/// Each run's own figures; its own intervals, which are no test of a difference.
std::string side_by_side(const std::vector<Study>& studies) {
  std::vector<std::string> titles{"figure"};
  for (std::size_t i = 0; i < studies.size(); ++i) titles.push_back("#" + run_name(studies, i));
  HtmlTable table(titles);
  std::vector<std::string> row{"measured on"};
  for (const auto& one : studies) row.push_back(part_text(one));
  table.add(row);
  row = {"stamps"};
  for (const auto& one : studies) {
    std::vector<std::string> names;
    for (const auto& stamp : one.run.stamps) names.push_back(stamp.name);
    row.push_back(join(names, " "));
  }
  table.add(row);
  for (const char* name : headline) {
    row = {name};
    for (const auto& one : studies)
      row.push_back(one.tested ? figure_text(*one.tested, name) : "-");
    table.add(row);
  }
  return table.html() +
         paragraph(
             "In parentheses: each run's own 95 % interval (BCa). Whether two of them overlap "
             "does not say whether the runs differ.");
}

std::string signed_interval(const std::optional<eval::Interval>& interval) {
  return interval ? fmt::format("{:+.3f} to {:+.3f}", interval->low, interval->high) : "";
}

HtmlTable difference_table(const eval::Comparison& comparison, const std::string& letter) {
  HtmlTable table({"figure", "#A", "#" + letter, "#" + letter + " - A", "#95 % BCa",
                   "#95 % small sample", "difference"});
  for (const auto& one : comparison.figures) {
    if (std::find(headline.begin(), headline.end(), one.name) == headline.end()) continue;
    const bool interval = one.verdict != eval::Verdict::too_few;
    table.add({one.name, share_text(one.first), share_text(one.second),
               std::isnan(one.difference.estimate)
                   ? "-"
                   : fmt::format("{:+.3f}", one.difference.estimate),
               interval ? signed_interval(one.difference.bca) : "",
               interval ? signed_interval(one.small_sample) : "", word_of(one.verdict)});
  }
  return table;
}

std::string against_first(const std::vector<Study>& studies, std::size_t i,
                          const eval::BootstrapOptions& options) {
  const auto letter = letter_of(i);
  auto out = fmt::format("<h3>{} against A</h3>\n", escaped(run_name(studies, i)));
  const auto &a = studies[0].tested, &b = studies[i].tested;
  if (!a || !b) return out + paragraph("Not comparable: one of them has no final predictions.");
  if (const auto reason = obstacle(a->compared, b->compared))
    return out + paragraph("Not comparable: " + *reason +
                               ". Their figures stand above, each on its own images; their "
                               "difference means nothing.",
                           "caution");
  const auto comparison =
      eval::compare(std::span(&a->contender, 1), std::span(&b->contender, 1), options);
  out += difference_table(comparison, letter).html();
  for (const auto& one : comparison.figures)
    if (one.name == "auc") out += paragraph(in_words(one, "A", letter) + ".", "verdict");
  const auto worth = coverage_text(comparison.scarcest);
  if (comparison.by_patient && !worth.empty())
    out += paragraph("Of such intervals: " + worth + ".");
  return out;
}

/// Of a hash the first digits tell it from others.
std::string shortened(const std::string& value) {
  const auto digits = value.find_first_not_of("0123456789abcdef");
  const auto hex = digits == std::string::npos ? value.size() : digits;
  return hex < 40 ? value : value.substr(0, 12) + "…" + value.substr(hex);
}

std::string differences(const tracker::Reader& reader, const std::vector<Study>& studies) {
  std::vector<tracker::RunShown> runs;
  std::vector<std::string> titles{"", "what differs"};
  for (std::size_t i = 0; i < studies.size(); ++i) {
    runs.push_back(studies[i].run);
    titles.push_back(run_name(studies, i));
  }
  HtmlTable table(titles);
  for (const auto& one : tracker::run_differences(reader, runs)) {
    std::vector<std::string> row{one.section, one.key};
    for (const auto& value : one.values) row.push_back(shortened(value.value_or("-")));
    table.add(std::move(row));
  }
  if (table.empty()) return paragraph("Nothing sets the runs apart.");
  return "<h3>What sets them apart</h3>\n" + table.html();
}

}  // namespace

Section comparison(const tracker::Reader& reader, const std::vector<Study>& studies,
                   const Manner& manner) {
  Section section{"comparison", "Comparison", side_by_side(studies)};
  std::vector<const Study*> all;
  std::vector<std::string> names;
  for (std::size_t i = 0; i < studies.size(); ++i) {
    all.push_back(&studies[i]);
    names.push_back(run_name(studies, i));
  }
  auto roc = roc_comparison(all, names);
  if (!roc.traces.empty()) section.body += charts_html({roc}, manner.drawn);
  for (std::size_t i = 1; i < studies.size(); ++i)
    section.body += against_first(studies, i, manner.bootstrap);
  section.body += differences(reader, studies);
  return section;
}

}  // namespace bcx::report
