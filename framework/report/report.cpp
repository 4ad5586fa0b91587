#include "report/report.h"

#include <fmt/format.h>

#include "base/paths.h"
#include "base/text.h"
#include "report/page.h"
#include "report/sections.h"
#include "report/words.h"

namespace bcx::report {
namespace {

std::string title_of(const std::vector<Study>& studies) {
  std::vector<std::string> names;
  for (const auto& one : studies) names.push_back(one.run.name);
  return join(names, " and ");
}

std::vector<Section> sections_of(const tracker::Reader& reader, const Study& study,
                                 const Manner& manner, const ReportOptions& options) {
  std::vector<Section> sections;
  if (study.is_folds()) sections.push_back(folds(reader, study, manner));
  if (study.tested) {
    sections.push_back(results(*study.tested, study, manner));
    sections.push_back(curves(*study.tested, manner));
    sections.push_back(patients(*study.tested, manner));
    sections.push_back(subgroups(*study.tested, manner));
    Pictures pictures;
    if (options.pictures && study.split) pictures = Pictures(study.split->dataset, options.data);
    sections.push_back(galleries(*study.tested, manner, pictures, Explanations(reader, study)));
  }
  sections.push_back(training(reader, study, manner));
  sections.push_back(data_and_split(study, manner));
  sections.push_back(asked(study, manner));
  sections.push_back(environment(study, manner));
  sections.push_back(unmeasured(study, manner));
  return sections;
}

std::string limits_html() {
  std::string out = "<ul>\n";
  for (const auto& one : limits()) out += "<li>" + escaped(one) + "</li>\n";
  return out + "</ul>\n";
}

std::string header(const std::vector<Study>& studies) {
  std::string ids;
  for (std::size_t i = 0; i < studies.size(); ++i)
    ids += fmt::format("{}{}{} ({})", i > 0 ? ", " : "",
                       studies.size() > 1 ? letter_of(i) + " = " : "", escaped(studies[i].run.name),
                       escaped(studies[i].run.short_id));
  std::string out = fmt::format(
      "<header>\n<p class=\"kind\">bcx report · {} · for research, no medical device</p>\n"
      "<h1>{}</h1>\n<p>Run{} {}</p>\n",
      today(), escaped(title_of(studies)), studies.size() > 1 ? "s" : "", ids);
  for (std::size_t i = 0; i < studies.size(); ++i)
    out += cautions_html(studies[i], studies.size() > 1 ? letter_of(i) : "");
  return out + "</header>\n";
}

}  // namespace

std::optional<std::string> plotly_script() {
  const auto file = executable_path().parent_path().parent_path() / "share/bcx/plotly.min.js";
  if (!std::filesystem::exists(file)) return std::nullopt;
  return read_text(file, 32u << 20, ExitCode::other);
}

std::string html_report(const tracker::Reader& reader, const std::vector<tracker::RunShown>& runs,
                        const ReportOptions& options) {
  std::vector<Study> studies;
  for (const auto& run : runs)
    studies.push_back(study_of(reader, run, options.part, options.bootstrap));
  Manner manner{"", options.plotly.has_value(), options.bootstrap};
  std::vector<Section> all;
  if (studies.size() > 1) all.push_back(comparison(reader, studies, manner));
  for (std::size_t i = 0; i < studies.size(); ++i) {
    const auto letter = letter_of(i);
    if (studies.size() > 1) manner.prefix = lower(letter) + "-";
    for (auto& section : sections_of(reader, studies[i], manner, options)) {
      if (studies.size() > 1) section.title = letter + ": " + section.title;
      all.push_back(std::move(section));
    }
  }
  all.push_back({"limits", "Limits", limits_html()});
  return page_html(title_of(studies), header(studies), all, options.plotly);
}

}  // namespace bcx::report
