// The page as a browser shows it: every chart drawn, no script error, nothing blank.
#include <fstream>

#include "browser.h"
#include "report_runs.h"

using namespace bcx::test;

namespace {

/// Why a page is not whole, as a browser sees it; empty: every chart is drawn, with lines that have
/// a course, and no script failed.
std::string complaint(const ReportRuns& runs, std::size_t charts, const std::string& page) {
  const auto shown = browse(runs.folder(), {"--window-size=1280,900", "--dump-dom"}, page);
  if (shown.code != 0) return "the browser failed: " + shown.err;
  if (has(shown.out, "data-errors=")) return "a script failed";
  if (const auto found = count_of(shown.out, "<figure class=\"chart\""); found != charts)
    return std::to_string(found) + " charts";
  const auto drawn = std::to_string(charts) + " of " + std::to_string(charts);
  if (!has(shown.out, "data-charts=\"" + drawn + "\"")) return "not all charts are drawn";
  for (auto at = shown.out.find("<figure class=\"chart\""); at != std::string::npos;) {
    const auto next = shown.out.find("<figure class=\"chart\"", at + 1);
    const auto figure = shown.out.substr(at, next - at);
    // plotly's class for what a scatter trace draws.
    if (!has(figure, "class=\"js-line\"") || !has(figure, "d=\"M"))
      return "blank: " + figure.substr(0, figure.find('\n'));
    at = next;
  }
  return {};
}

/// A screenshot in a frame `width` wide: a frame is as narrow as it is told; a window is not.
bcx::data::Image screenshot(const ReportRuns& runs, const std::string& page, int width) {
  std::ofstream(runs.folder() / "frame.html")
      << "<body style='margin:0'><iframe src='" << page
      << "' style='border:0;height:12000px;width:" << width << "px'></iframe>";
  const auto file = (runs.folder() / "page.png").string();
  const auto outcome =
      browse(runs.folder(), {"--window-size=1280,12000", "--screenshot=" + file}, "frame.html");
  INFO(width << " pixels: " << outcome.err);
  REQUIRE(std::filesystem::exists(file));
  auto image = bcx::data::read_image(file).image;
  std::filesystem::remove(file);
  return image;
}

/// Whether there are the lines of the charts, in the first colour of the palette and the second.
bool has_lines(const bcx::data::Image& image) {
  return pixels_like(image, {0x00, 0x72, 0xb2}) > 5000 &&
         pixels_like(image, {0xd5, 0x5e, 0x00}) > 1000;
}

/// A copy of the page with one thing changed.
void break_page(const ReportRuns& runs, const std::string& from, const std::string& to) {
  auto text = slurp(runs.folder() / "page.html");
  const auto at = text.rfind(from);
  REQUIRE(at != std::string::npos);
  text.replace(at, from.size(), to);
  std::ofstream(runs.folder() / "broken.html", std::ios::binary) << text;
}

bool cannot_browse() {
  return chromium().empty() || !std::filesystem::exists(build_dir() / "share/bcx/plotly.min.js");
}
constexpr const char* why_not =
    "no Chromium on this machine (tools/setup --ci installs it), or built without plotly.js";

}  // namespace

TEST_CASE("a browser draws every chart of a report") {
  if (cannot_browse()) BCX_SKIP(why_not);
  ReportRuns runs;
  runs.add({.name = "first", .strength = 1});
  runs.add({.name = "second", .strength = 2});
  runs.page({"first", "second"});
  CHECK(complaint(runs, 1 + 2 * 7, "page.html") == "");
  for (const int width : {1280, 420}) CHECK(has_lines(screenshot(runs, "page.html", width)));
}

TEST_CASE("a page with a blank chart, or with a script that fails, is caught") {
  if (cannot_browse()) BCX_SKIP(why_not);
  ReportRuns runs;
  runs.add({.name = "one"});
  runs.page({"one"});
  REQUIRE(complaint(runs, 7, "page.html") == "");
  const auto complains = [&](const std::string& from, const std::string& to) {
    break_page(runs, from, to);
    return complaint(runs, 7, "broken.html");
  };
  // The learning rate's trace loses its points: the chart is drawn and shows nothing.
  CHECK(complains("\"y\":[0.001,0.001,0.001,0.001,0.001]", "\"y\":[]") ==
        "blank: <figure class=\"chart\" id=\"rate\">");
  CHECK(complains("await Plotly.newPlot(plot,", "await Plotly.newPlots(plot,") ==
        "a script failed");
  CHECK(complains("\"use strict\";\n(() => {", "\"use strict\";\n(() => {\nnowhere();") ==
        "not all charts are drawn");
  CHECK(complains("Promise.all(plots.map(draw))", "Promise.all(plots.slice(1).map(draw))") ==
        "not all charts are drawn");
  // And in a picture: charts of which nothing is visible.
  break_page(runs, "</style>", ".js-line, .points { visibility: hidden; }\n</style>");
  CHECK(has_lines(screenshot(runs, "page.html", 1280)));
  CHECK_FALSE(has_lines(screenshot(runs, "broken.html", 1280)));
}
