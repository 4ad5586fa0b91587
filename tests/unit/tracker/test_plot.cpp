#include <cmath>
#include <limits>
#include <vector>

#include "tests/catch.h"
#include "tracker/axis.h"
#include "tracker/plot.h"
#include "tracker/plot_page.h"

using namespace bcx::tracker;

namespace {

std::string one(const PlotSeries& series, const std::string& x_name, const PlotStyle& style) {
  return plot({&series, 1}, x_name, style);
}

}  // namespace

TEST_CASE("a sparkline spans its values, leaves gaps and keeps spikes") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK(sparkline(std::vector<double>{0, 1, 2, 3, 4, 5, 6, 7}, 20) == "▁▂▃▄▅▆▇█");
  CHECK(sparkline(std::vector<double>{1, nan, 3}, 20) == "▁ █");
  CHECK(sparkline(std::vector<double>{2, 2}, 20) == "▅▅");
  CHECK(sparkline(std::vector<double>{}, 20) == "");
  CHECK(sparkline(std::vector<double>{nan}, 20) == " ");
  std::vector<double> values(1000, 1.0);
  values[503] = 100.0;
  CHECK(sparkline(values, 4) == "▁▁█▁");
}

TEST_CASE("a plot has axes, labels and the line") {
  const PlotSeries series{"val.auc", {0, 1, 2, 3, 4}, {0.0, 0.25, 0.5, 0.75, 1.0}};
  CHECK(one(series, "epoch", {24, 5}) ==
        "val.auc\n"
        "  1 ┤               ⢀⡠⠔⠊\n"
        "    │            ⣀⠤⠊⠁\n"
        "0.5 ┤        ⣀⠤⠒⠉\n"
        "    │   ⢀⡠⠔⠊⠉\n"
        "  0 ┤⡠⠔⠊⠁\n"
        "    └───────────────────\n"
        "     0        2        4\n"
        "     epoch\n");
}

TEST_CASE("several series are told apart by signs, or by colours") {
  const std::vector<PlotSeries> series{{"up", {0, 1}, {0, 1}}, {"down", {0, 1}, {1, 0}}};
  CHECK(plot(series, "step", {13, 3}) ==
        "● up\n"
        "× down\n"
        "  1 ┤××××  ●●●●\n"
        "0.5 ┤   ●●●●\n"
        "  0 ┤●●●●  ××××\n"
        "    └──────────\n"
        "     0   0.5  1\n"
        "     step\n");
  const auto coloured = plot(series, "step", {.width = 13, .height = 3, .colour = true});
  CHECK(coloured.starts_with("\x1b[36m━━\x1b[0m up\n\x1b[33m━━\x1b[0m down\n  1 ┤\x1b[33m"));
  CHECK(coloured.find("●") == std::string::npos);
}

TEST_CASE("ticks of an axis") {
  CHECK(ticks({0, 1}, 4) == std::vector<double>{0, 0.5, 1});
  const auto powers = [](double low, double high, int count) {
    std::vector<double> out;
    for (const double at : log_ticks({std::log10(low), std::log10(high)}, count))
      out.push_back(std::stod(tick_label(std::pow(10, at))));
    return out;
  };
  CHECK(powers(0.5, 2000, 5) == std::vector<double>{1, 10, 100, 1000});
  CHECK(powers(0.5, 2000, 20) ==
        std::vector<double>{0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000});
  CHECK(powers(1e-9, 1e9, 5) == std::vector<double>{1e-9, 1e-5, 1e-1, 1e3, 1e7});
  CHECK(powers(0.3, 0.7, 5) == std::vector<double>{0.3, 0.4, 0.5, 0.6, 0.7});
  CHECK(powers(4, 4, 5) == std::vector<double>{4});
}

TEST_CASE("a picture holds axes, legend and every gap, and no name becomes markup") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const std::vector<PlotSeries> series{{"val.auc </script><b>", {0, 1, 2, 3}, {0.1, nan, 0.2, 0.3}},
                                       {"b & \"c\"", {0, 3}, {1, 1}}};
  const PlotPage page{"<title>\x1b", "epoch", false};
  const auto svg = svg_plot(series, page);
  for (const char* text : {"&lt;title&gt;\\x1b", "val.auc &lt;/script&gt;&lt;b&gt;",
                           "b &amp; &quot;c&quot;", ">epoch</text>", ">0.2</text>", "</svg>"})
    CHECK(svg.find(text) != std::string::npos);
  CHECK(svg.find("<b>") == std::string::npos);
  CHECK(svg.find('\x1b') == std::string::npos);
  const auto html = html_plot(series, page);
  CHECK(html.find("val.auc \\u003c/script>\\u003cb>") != std::string::npos);
  CHECK(html.find("<b>") == std::string::npos);
  for (const char* elsewhere : {"src=", "href=", "url(", "@import"})
    CHECK(html.find(elsewhere) == std::string::npos);
  CHECK(svg_plot({}, page).find("no finite value to draw") != std::string::npos);
  CHECK(svg_plot(series, {"t", "x", true}).find("no positive") == std::string::npos);
}

TEST_CASE("odd series are drawn too") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double inf = std::numeric_limits<double>::infinity();
  CHECK(one({"a", {0, 1}, {nan, inf}}, "step", {}) == "a: no finite value to draw\n");
  CHECK(one({"a", {}, {}}, "step", {}) == "a: no finite value to draw\n");
  CHECK(one({"one", {5}, {0.5}}, "step", {40, 5}).find("0.5 ┤") != std::string::npos);
  CHECK(one({"b", {0, 1, 2, 3}, {1e308, -1e308, nan, 5e-324}}, "step", {40, 5}).size() > 40);
  CHECK(one({"c", {0, 1}, {1.0, 1.0 + 1e-16}}, "step", {40, 5}).size() > 40);
  CHECK(one({"\x1b[2J", {0, 1}, {0, 1}}, "\x1b", {40, 5}).find('\x1b') == std::string::npos);
}
