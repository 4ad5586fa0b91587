// The page of a sweep: what stands in it, and how a browser draws it.
#include <cmath>
#include <fstream>

#include "base/philox.h"
#include "browser.h"
#include "report/report.h"
#include "report/sweep_report.h"
#include "report_runs.h"

using namespace bcx::test;
using bcx::report::SweepFigures;

namespace {

/// Sixteen trials over three parameters, one of which a third of them does not have.
SweepFigures made_sweep() {
  SweepFigures sweep;
  sweep.name = "size <by> rate";
  sweep.id = "0123abcd";
  sweep.about = "grid, by highest val.auc";
  sweep.objective = "val.auc";
  sweep.parameters = {{"train.batch_size", "8, 16", {"8", "16"}},
                      {"optimizer.learning_rate", "1e-05 to 0.01, logarithmic", {"1e-05", "0.01"}},
                      {"optimizer.momentum", "0 to 1", {"0", "0.5", "1"}}};
  for (std::int64_t i = 0; i < 16; ++i) {
    const double rate = static_cast<double>(i / 2) / 7;
    SweepFigures::Trial trial;
    trial.number = i;
    trial.state = "finished";
    trial.parameters = {{i % 2 == 0 ? "8" : "16", static_cast<double>(i % 2)},
                        {std::to_string(rate), rate}};
    if (i % 3 == 0)
      trial.parameters.push_back({});
    else
      trial.parameters.push_back({"0.25", 0.25});
    trial.value = 0.9 - (rate - 0.6) * (rate - 0.6) + 0.01 * static_cast<double>(i % 2);
    trial.seconds = 20 + static_cast<double>((i * 7) % 16);
    trial.epochs = 3;
    trial.run = "aabbccdd";
    sweep.trials.push_back(trial);
  }
  sweep.trials.push_back({16,
                          "failed",
                          {{"8", 0}, {"0.1", 0.5}, {}},
                          SweepFigures::none,
                          3,
                          0,
                          "",
                          "the loss is nan </script><b>"});
  sweep.heat_maps.push_back({"train.batch_size",
                             "optimizer.learning_rate",
                             {"8", "16"},
                             {"1e-05", "0.0001", "0.01"},
                             {{0.5, 0.6, 0.7}, {0.8, SweepFigures::none, 0.9}}});
  sweep.importances = {{"optimizer.learning_rate", 0.8, 0.9, 0.02},
                       {"train.batch_size", 0.05, 0.1, 0.01}};
  sweep.importance_note = "From 16 trials.";
  return sweep;
}

}  // namespace

TEST_CASE("the front of value and time holds what no trial beats in both") {
  const bcx::Stream stream(4, "pareto");
  for (const bool maximize : {true, false}) {
    SweepFigures sweep;
    sweep.maximize = maximize;
    for (std::uint64_t i = 0; i < 60; ++i) {
      SweepFigures::Trial trial;
      // Few values: there are ties.
      trial.value = static_cast<double>(stream.below(2 * i, 12));
      trial.seconds = static_cast<double>(stream.below(2 * i + 1, 12));
      if (i % 20 == 7) trial.value = SweepFigures::none;
      sweep.trials.push_back(trial);
    }
    std::vector<std::pair<double, double>> expected, found;
    for (const auto& one : sweep.trials) {
      bool beaten = std::isnan(one.value);
      for (const auto& other : sweep.trials) {
        const double gain = maximize ? other.value - one.value : one.value - other.value;
        beaten = beaten || (gain >= 0 && other.seconds <= one.seconds &&
                            (gain > 0 || other.seconds < one.seconds));
      }
      const std::pair at(one.seconds, one.value);
      if (!beaten && std::find(expected.begin(), expected.end(), at) == expected.end())
        expected.push_back(at);
    }
    std::sort(expected.begin(), expected.end());
    for (const auto i : bcx::report::pareto_front(sweep))
      found.emplace_back(sweep.trials[i].seconds, sweep.trials[i].value);
    CHECK(found == expected);
  }
}

TEST_CASE("a sweep's page has each chart's numbers in a table, and escapes what it shows") {
  const auto page = bcx::report::sweep_report(made_sweep(), std::nullopt);
  CHECK(has(page, "size &lt;by&gt; rate"));
  CHECK(!has(page, "</script><b>"));
  CHECK(count_of(page, "<figure class=\"chart\"") == 5);
  CHECK(count_of(page, "<details open>") == 5);
  CHECK(has(page, "best so far"));
  CHECK(has(page, "built without plotly.js"));
  SweepFigures nothing = made_sweep();
  nothing.trials.clear();
  nothing.heat_maps.clear();
  nothing.importances.clear();
  nothing.importance_note = "too few trials: 0 with a value, and 12 are needed for 3 parameters";
  const auto empty = bcx::report::sweep_report(nothing, std::nullopt);
  CHECK(has(empty, "No trial has a value yet."));
  CHECK(has(empty, "too few trials: 0 with a value, and 12 are needed for 3 parameters"));
}

TEST_CASE("a browser draws every chart of a sweep's page") {
  if (chromium().empty()) BCX_SKIP("no Chromium on this machine (tools/setup --ci installs it)");
  const auto plotly = bcx::report::plotly_script();
  if (!plotly) BCX_SKIP("built without plotly.js");
  const TemporaryFolder folder;
  std::ofstream(folder / "page.html") << bcx::report::sweep_report(made_sweep(), plotly);
  const auto shown = browse(folder.path(), {"--window-size=1280,900", "--dump-dom"});
  REQUIRE(shown.code == 0);
  CHECK(has(shown.out, "data-charts=\"5 of 5\""));
  CHECK(!has(shown.out, "data-errors="));
  const auto figure = [&](const std::string& id) {
    const auto at = shown.out.find("id=\"" + id + "\"");
    REQUIRE(at != std::string::npos);
    return shown.out.substr(at, shown.out.find("</figure>", at) - at);
  };
  for (const auto* id : {"history", "parallel", "pareto"}) {
    INFO(id);
    CHECK(has(figure(id), "class=\"js-line\""));
    CHECK(has(figure(id), "d=\"M"));
  }
  CHECK(has(figure("parallel"), "optimizer.momentum"));  // an axis of its own
  CHECK(has(figure("heat-map-1"), "<image"));
  CHECK(has(figure("heat-map-1"), "0.0001"));
  CHECK(count_of(figure("importances"), "class=\"point\"") == 4);  // two bars for each of two

  for (const int width : {1280, 420}) {
    std::ofstream(folder / "frame.html")
        << "<body style='margin:0'><iframe src='page.html' style='border:0;height:6000px;width:"
        << width << "px'></iframe>";
    const auto file = (folder / "page.png").string();
    browse(folder.path(), {"--window-size=1280,6000", "--screenshot=" + file}, "frame.html");
    INFO(width);
    REQUIRE(std::filesystem::exists(file));
    const auto image = bcx::data::read_image(file).image;
    if (const char* kept = std::getenv("BCX_KEEP_PAGES"))
      std::filesystem::copy_file(file,
                                 std::string(kept) + "/sweep-" + std::to_string(width) + ".png",
                                 std::filesystem::copy_options::overwrite_existing);
    CHECK(pixels_like(image, {0x00, 0x36, 0x5c}) > 100);   // the best trials' lines
    CHECK(pixels_like(image, {0xd5, 0x5e, 0x00}) > 300);   // the front
    CHECK(pixels_like(image, {0x00, 0x72, 0xb2}) > 1000);  // bars, the best so far
    std::filesystem::remove(file);
  }
}
