// The page as a browser shows it: every chart drawn, no script error, nothing blank.
#include <fstream>

#include "browser.h"
#include "report_runs.h"

using namespace bcx::test;

TEST_CASE("a browser draws every chart of a report") {
  if (chromium().empty()) BCX_SKIP("no Chromium on this machine (tools/setup --ci installs it)");
  if (!std::filesystem::exists(build_dir() / "share/bcx/plotly.min.js"))
    BCX_SKIP("built without plotly.js");
  ReportRuns runs;
  runs.add({.name = "first", .strength = 1});
  runs.add({.name = "second", .strength = 2});
  runs.page({"first", "second"});

  const auto shown = browse(runs.folder(), {"--window-size=1280,900", "--dump-dom"});
  REQUIRE(shown.code == 0);
  const auto charts = count_of(shown.out, "<figure class=\"chart\"");
  CHECK(charts == 1 + 2 * 7);
  CHECK(has(shown.out, "data-charts=\"15 of 15\""));
  CHECK(!has(shown.out, "data-errors="));
  // Each has lines with a course: plotly's class for what a scatter trace draws.
  std::size_t with_lines = 0;
  for (auto at = shown.out.find("<figure class=\"chart\""); at != std::string::npos;) {
    const auto next = shown.out.find("<figure class=\"chart\"", at + 1);
    const auto figure = shown.out.substr(at, next - at);
    with_lines += has(figure, "class=\"js-line\"") && has(figure, "d=\"M");
    at = next;
  }
  CHECK(with_lines == charts);

  for (const int width : {1280, 420}) {
    // A frame is as narrow as it is told; a window is not.
    std::ofstream(runs.folder() / "frame.html")
        << "<body style='margin:0'><iframe src='page.html' style='border:0;height:12000px;width:"
        << width << "px'></iframe>";
    const auto file = (runs.folder() / "page.png").string();
    const auto outcome =
        browse(runs.folder(), {"--window-size=1280,12000", "--screenshot=" + file}, "frame.html");
    INFO(width);
    REQUIRE(std::filesystem::exists(file));
    const auto image = bcx::data::read_image(file).image;
    // The lines of the charts, in the first colour of the palette, and the second's.
    CHECK(pixels_like(image, {0x00, 0x72, 0xb2}) > 5000);
    CHECK(pixels_like(image, {0xd5, 0x5e, 0x00}) > 1000);
    std::filesystem::remove(file);
  }
}
