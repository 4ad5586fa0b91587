#include "report/report.h"

#include <fmt/format.h>

#include <ctime>

#include "base/paths.h"
#include "base/text.h"
#include "report/page_text.h"
#include "report/sections.h"
#include "report/words.h"

namespace bcx::report {
namespace {

std::string today() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  return fmt::format("{:04}-{:02}-{:02}", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday);
}

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

std::string contents(const std::vector<Section>& sections) {
  std::string out = "<nav aria-label=\"Contents\"><ul>\n";
  for (const auto& one : sections)
    out += fmt::format("<li><a href=\"#{}\">{}</a></li>\n", one.id, escaped(one.title));
  return out + "</ul></nav>\n";
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

std::string page(const std::string& title, const std::string& head, const std::string& body,
                 const std::optional<std::string>& plotly) {
  std::string out =
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      // What follows is all there is: nothing is fetched, whatever a run's texts hold.
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
      "'unsafe-inline'; script-src 'unsafe-inline'; img-src data: blob:\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n";
  out += "<title>" + escaped(title) + "</title>\n<style>\n";
  out += style_text;
  out += "</style>\n</head>\n<body>\n" + head;
  if (!plotly)
    out += paragraph(
        "This bcx was built without plotly.js: charts are left out, and their numbers "
        "stand in tables. tools/setup fetches it.",
        "caution");
  out += body;
  if (plotly) {
    out += "<script>\n" + *plotly + "\n</script>\n<script>\n";
    out += script_text;
    out += "</script>\n";
  }
  return out + "</body>\n</html>\n";
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
  std::string body = contents(all) + "<main>\n";
  for (const auto& one : all)
    body += fmt::format("<section id=\"{}\">\n<h2>{}</h2>\n{}</section>\n", one.id,
                        escaped(one.title), one.body);
  return page(title_of(studies), header(studies), body + "</main>\n", options.plotly);
}

}  // namespace bcx::report
