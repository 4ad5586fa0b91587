// `bcx report` on runs that were stored.
#include "base/hash.h"
#include "report/report.h"
#include "report_runs.h"

using namespace bcx::test;
using bcx::tracker::Reader;

namespace {

std::string before(const std::string& text, const std::string& mark) {
  return text.substr(0, text.find(mark));
}

/// The page without plotly.js, which holds any text.
std::string plain_page(const ReportRuns& runs, const std::vector<std::string>& names) {
  const Reader reader(runs.database());
  std::vector<bcx::tracker::RunShown> all;
  for (const auto& name : names) all.push_back(reader.run(reader.find(name).id));
  bcx::report::ReportOptions options;
  options.bootstrap.resamples = 200;
  return bcx::report::html_report(reader, all, options);
}

}  // namespace

TEST_CASE("a report holds every section, pictures, and asks for nothing from outside") {
  ReportRuns runs;
  runs.add({.name = "good"});
  const auto page = plain_page(runs, {"good"});
  for (const char* id : {"results", "curves", "patients", "subgroups", "images", "training", "data",
                         "asked", "environment", "unmeasured", "limits"}) {
    INFO(id);
    CHECK(has(page, "<section id=\"" + std::string(id) + "\">"));
  }
  for (const char* figure : {"loss", "figures", "rate", "roc", "pr", "calibration", "decision"}) {
    INFO(figure);
    CHECK(has(page, "<figure class=\"chart\" id=\"" + std::string(figure) + "\">"));
  }
  CHECK(has(page, "This is no medical device."));
  CHECK(has(page, "default-src &#39;none&#39;") != has(page, "default-src 'none'"));
  for (const char* outside : {"http://", "https://", "src=\"//", "url("}) {
    INFO(outside);
    CHECK(!has(page, outside));
  }
  CHECK(count_of(page, "<img src=\"data:image/jpeg;base64,") >= 12 + 8 + 8);
  CHECK(!has(page, "no picture</span>"));
  CHECK(has(page, "By magnification"));
  CHECK(has(page, "test part, 100 images of 20 cases, look 1"));
  CHECK(has(page, "This bcx was built without plotly.js"));
  CHECK(!has(page, "<script"));
}

TEST_CASE("what makes a result dishonest stands above everything else") {
  ReportRuns runs;
  runs.add({.name = "leaky", .stamp = "LEAKY"});
  runs.add({.name = "perfect", .strength = 50, .source = "breakhis"});
  runs.add({.name = "useless", .strength = 0});
  runs.add({.name = "few", .from = 14});
  CHECK(has(before(plain_page(runs, {"leaky"}), "<nav"),
            "<p class=\"caution grave\">LEAKY: this run was tested on patients that it was trained "
            "on."));
  CHECK(
      has(before(plain_page(runs, {"perfect"}), "<nav"),
          "An accuracy of 1.000 is too good to be true on BreakHis: honest results on new patients "
          "are 0.85 to 0.93."));
  CHECK(has(before(plain_page(runs, {"useless"}), "<nav"), "that of always saying the most"));
  const auto few = before(plain_page(runs, {"few"}), "<nav");
  CHECK(has(few,
            "No intervals: the scarcest class has 3 cases, 5 are needed. One case more or less "
            "is 33.3 points of its recall."));
  CHECK(has(few, "<p class=\"caution grave\">"));
  CHECK(!has(few, "LEAKY"));
}

TEST_CASE("hostile names stay text") {
  ReportRuns runs;
  const std::string evil = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\x1b[31m";
  runs.add(
      {.name = evil, .classes = {"benign" + evil, evil}, .notes = evil, .sample_prefix = evil});
  const auto page = plain_page(runs, {evil});
  CHECK(!has(page, "<script>alert"));
  CHECK(!has(page, "<img src=x"));
  CHECK(!has(page, "\x1b"));
  CHECK(has(page, "&lt;script&gt;alert(1)"));
  // With charts, whose data are JSON in script elements.
  const auto drawn = runs.page({evil});
  CHECK(!has(drawn, "<script>alert"));
  CHECK(!has(drawn, "</script><img"));
  const auto card = runs.bcx({"report", evil, "--model-card", "-"});
  CHECK(card.code == 0);
  CHECK(!has(card.out, "<script>"));
}

TEST_CASE("pictures outside the data's folder, or gone, are no pictures") {
  ReportRuns runs;
  bcx::data::write_png(runs.folder() / "i0.png", bcx::data::Image(24, 32, 9).view());
  runs.add({.name = "above", .sample_prefix = "../"});
  runs.add({.name = "gone", .sample_prefix = "other/"});
  for (const char* name : {"above", "gone"}) {
    const auto page = plain_page(runs, {name});
    CHECK(!has(page, "data:image"));
    CHECK(has(page, "pictures could not be shown; the first: "));
  }
  CHECK(!has(runs.page({"gone", "--no-pictures"}), "could not be shown"));
}

TEST_CASE("maps that explain stored are shown beside the images") {
  ReportRuns runs;
  const auto id =
      runs.add({.name = "explained"}, {{"explain/maps.json", "explain", "explain/maps.json", 1, ""},
                                       {"explain/i7.png", "explain", "explain/i7.png", 1, ""}});
  const Reader reader(runs.database());
  const auto folder = runs.folder() / reader.run(id).folder / "explain";
  std::filesystem::create_directories(folder);
  bcx::data::write_png(folder / "i7.png", bcx::data::Image(40, 40, 200).view());
  std::ofstream(folder / "maps.json") << R"({"method": "grad-cam", "sanity": {"correlation": 0.125},
             "maps": [{"sample": "0000000000000008", "name": "i7.png", "file": "i7.png"},
                      {"sample": "nonsense", "file": "i7.png"},
                      {"sample": "0000000000000009", "file": "../../../etc/passwd"}]})";
  const auto page = plain_page(runs, {"explained"});
  CHECK(has(page, "alt=\"grad-cam of i7.png\""));
  CHECK(has(page, "random last-layer weights: 0.125"));
  CHECK(!has(page, "alt=\"grad-cam of i8.png\""));
}

TEST_CASE("several runs: side by side, differences, or why there are none") {
  ReportRuns runs;
  runs.add({.name = "first", .strength = 1});
  runs.add({.name = "second", .strength = 6});
  runs.add({.name = "elsewhere", .strength = 3, .from = 4, .stamp = "LEAKY"});
  const auto page = plain_page(runs, {"first", "second", "elsewhere"});
  CHECK(has(page, "<section id=\"comparison\">"));
  CHECK(has(page, "B is better by "));
  CHECK(has(page, " in auc: established."));
  CHECK(has(page, "Not comparable: different test samples: 20 only in "));
  // Each has its own figures all the same.
  CHECK(has(page, "test part, 80 images of 16 cases, look 1"));
  CHECK(has(before(page, "<nav"), "C: LEAKY: "));
  CHECK(has(page, "<section id=\"c-results\">"));
}

TEST_CASE("three classes, a run without predictions, and a model card") {
  ReportRuns runs;
  runs.add({.name = "three", .strength = 4, .classes = {"a", "b", "c"}});
  const auto page = plain_page(runs, {"three"});
  CHECK(has(page, "id=\"calibration\""));
  CHECK(!has(page, "id=\"roc\""));
  {
    auto run = bcx::tracker::RunWriter::create(runs.database(), description("early"));
    run->finish(bcx::tracker::Status::failed, "out of memory");
  }
  const auto early = plain_page(runs, {"early"});
  CHECK(has(early, "There are no final predictions: this run says nothing about new images."));
  CHECK(!has(early, "<section id=\"results\">"));

  const auto card = runs.bcx({"report", "three", "--model-card", "-"});
  INFO(card.err);
  CHECK(card.code == 0);
  for (const char* part : {"# Model card: three\n", "## Intended use\n", "| accuracy |",
                           "## What was not measured\n", "This is no medical device."})
    CHECK(has(card.out, part));
}

TEST_CASE("a run that is made of folds shows them, and says that it is") {
  ReportRuns runs;
  {
    auto about = description("folded");
    about.params.push_back({"folds", std::int64_t{2}, false, "--folds"});
    auto run = bcx::tracker::RunWriter::create(runs.database(), about);
    run->epoch_metrics(0, 0, {{"fold.auc", 0.75}});
    run->epoch_metrics(1, 1, {{"fold.auc", 0.5}});
    run->epoch_metrics(2, 2, {{"test.auc", 0.625}, {"test.auc.sd", 0.177}});
    run->finish(bcx::tracker::Status::finished, "");
  }
  const auto page = plain_page(runs, {"folded"});
  CHECK(has(before(page, "<nav"), "This run is made of folds"));
  CHECK(!has(page, "says nothing about new images"));
  CHECK(has(page,
            "<td>auc</td><td class=\"number\">0.750</td><td class=\"number\">0.500</td><td "
            "class=\"number\">0.625</td><td class=\"number\">0.177</td><td "
            "class=\"number\">-</td>"));
}

TEST_CASE("the folds' predictions together: curves of ranks, and every image decided once") {
  ReportRuns runs;
  std::string parent;
  {
    auto about = description("folded");
    about.params.push_back({"folds", std::int64_t{2}, false, "--folds"});
    auto run = bcx::tracker::RunWriter::create(runs.database(), about);
    parent = run->id();
    run->epoch_metrics(0, 0, {{"fold.auc", 1.0}});
    run->epoch_metrics(2, 2, {{"test.accuracy", 0.5}, {"test.majority_baseline", 0.5}});
    run->finish(bcx::tracker::Status::finished, "");
  }
  // Both tell the classes apart, the second on a scale of its own.
  runs.add({.name = "f0", .strength = 40, .to = 10, .parent = parent, .fold = 0});
  runs.add({.name = "f1", .strength = 4000, .from = 10, .parent = parent, .fold = 1});
  const auto page = plain_page(runs, {"folded"});
  CHECK(has(page, "<figure class=\"chart\" id=\"folds-roc\">"));
  CHECK(has(page, "<figure class=\"chart\" id=\"folds-pr\">"));
  CHECK(has(page, "<td>fold 1</td><td class=\"number\">1.000</td>"));
  CHECK(has(page, "<td>ranks of all folds</td><td class=\"number\">1.000</td>"));
  CHECK(count_of(page, ">50 <small>100.0 %</small>") == 2);  // of 100 images, each decided once
  CHECK(has(before(page, "<nav"), "The accuracy of 0.500 is not above 0.500"));
  runs.add({.name = "f2", .strength = 4, .parent = parent, .fold = 2});  // not one of them
  CHECK(!has(plain_page(runs, {"folded"}), "folds-roc"));
}

TEST_CASE("report: mistakes") {
  ReportRuns runs;
  runs.add({.name = "one"});
  auto outcome = runs.bcx({"report", "one", "one", "--model-card", "-"});
  CHECK(outcome.code == 2);
  CHECK(outcome.err == "error: --model-card: a model card is about one run\n");
  CHECK(runs.bcx({"report", "nobody"}).code == 2);
  outcome = runs.bcx({"report", "one", "--out", "no/such/folder/x.html"});
  CHECK(outcome.code == 6);
}
