#include <cmath>
#include <limits>
#include <vector>

#include "tests/catch.h"
#include "tracker/plot.h"

using namespace bcx::tracker;

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
  CHECK(plot(series, "epoch", {24, 5}) ==
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

TEST_CASE("odd series are drawn too") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double inf = std::numeric_limits<double>::infinity();
  CHECK(plot({"a", {0, 1}, {nan, inf}}, "step", {}) == "a: no finite value to draw\n");
  CHECK(plot({"a", {}, {}}, "step", {}) == "a: no finite value to draw\n");
  CHECK(plot({"one", {5}, {0.5}}, "step", {40, 5}).find("0.5 ┤") != std::string::npos);
  CHECK(plot({"b", {0, 1, 2, 3}, {1e308, -1e308, nan, 5e-324}}, "step", {40, 5}).size() > 40);
  CHECK(plot({"c", {0, 1}, {1.0, 1.0 + 1e-16}}, "step", {40, 5}).size() > 40);
  CHECK(plot({"\x1b[2J", {0, 1}, {0, 1}}, "\x1b", {40, 5}).find('\x1b') == std::string::npos);
}
