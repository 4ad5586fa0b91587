#include "report/page.h"

#include <fmt/format.h>

#include <ctime>

#include "report/page_text.h"

namespace bcx::report {
namespace {

std::string contents(const std::vector<Section>& sections) {
  std::string out = "<nav aria-label=\"Contents\"><ul>\n";
  for (const auto& one : sections)
    out += fmt::format("<li><a href=\"#{}\">{}</a></li>\n", one.id, escaped(one.title));
  return out + "</ul></nav>\n";
}

}  // namespace

std::string today() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  return fmt::format("{:04}-{:02}-{:02}", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday);
}

std::string page_html(const std::string& title, const std::string& head,
                      const std::vector<Section>& sections,
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
  out += contents(sections) + "<main>\n";
  for (const auto& one : sections)
    out += fmt::format("<section id=\"{}\">\n<h2>{}</h2>\n{}</section>\n", one.id,
                       escaped(one.title), one.body);
  out += "</main>\n";
  if (plotly) {
    out += "<script>\n" + *plotly + "\n</script>\n<script>\n";
    out += script_text;
    out += "</script>\n";
  }
  return out + "</body>\n</html>\n";
}

}  // namespace bcx::report
