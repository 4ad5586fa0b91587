// `bcx metrics` on files that people have.
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/catch.h"
#include "tests/process.h"

using namespace bcx::test;
using nlohmann::json;

namespace {

struct Files {
  std::string write(const std::string& name, const std::string& text) {
    std::ofstream(folder / name, std::ios::binary) << text;
    return name;
  }
  Outcome metrics(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {(build_dir() / "bin/bcx").string(), "metrics"});
    return run_process(std::move(arguments), folder.path(), folder.path());
  }
  json figures(std::vector<std::string> arguments) {
    arguments.push_back("--json");
    const auto outcome = metrics(std::move(arguments));
    INFO(outcome.err);
    REQUIRE(outcome.code == 0);
    return json::parse(outcome.out);
  }
  TemporaryFolder folder;
};

const std::string small =
    "sample,group,target,score,magnification\n"
    "a,p1,0,0.1,40\nb,p1,0,0.6,100\nc,p2,1,0.9,40\nd,p2,1,0.4,100\ne,p3,1,0.8,40\n";

void check_equal(const json& ours, const json& theirs, const std::string& name) {
  INFO(name << " " << ours.dump() << " " << theirs.dump());
  REQUIRE(ours.is_null() == theirs.is_null());
  if (theirs.is_array()) {
    REQUIRE(ours.size() == theirs.size());
    for (std::size_t i = 0; i < ours.size(); ++i) check_equal(ours[i], theirs[i], name);
  } else if (!theirs.is_null()) {
    CHECK(ours.get<double>() == Approx(theirs.get<double>()).epsilon(0).margin(1e-12));
  }
}

}  // namespace

TEST_CASE("metrics: scikit-learn's file, to 1e-12") {
  BCX_NEEDS_SHARED("parity/metrics.json");
  Files files;
  const auto path = shared_dir() / "parity/metrics.json";
  const auto theirs = json::parse(std::ifstream(path))["cases"];
  const auto ours = files.figures({path.string()})["cases"];
  REQUIRE(ours.size() == theirs.size());
  for (std::size_t i = 0; i < ours.size(); ++i) {
    INFO("case " << i + 1);
    const auto& metrics = ours[i]["metrics"];
    const auto& expected = theirs[i];
    for (const char* name : {"accuracy", "balanced_accuracy", "mcc", "log_loss", "ece",
                             "average_precision", "brier", "specificity"})
      if (expected.contains(name)) check_equal(metrics[name], expected[name], name);
    for (const char* name : {"precision", "recall", "f1"})
      check_equal(ours[i]["per_class"][name], expected[name], name);
    check_equal(ours[i]["confusion"], expected["confusion"], "confusion");
    const char* area = expected.contains("roc_auc") ? "roc_auc" : "roc_auc_ovr_macro";
    check_equal(metrics["auc"], expected[area], area);
    if (!expected.contains("roc")) continue;
    check_equal(ours[i]["curves"]["roc"]["fpr"], expected["roc"]["fpr"], "fpr");
    check_equal(ours[i]["curves"]["roc"]["tpr"], expected["roc"]["tpr"], "tpr");
    check_equal(ours[i]["curves"]["pr"]["recall"], expected["pr"]["recall"], "recall");
  }
}

TEST_CASE("metrics: a table, a threshold, subgroups") {
  Files files;
  const auto file = files.write("p.csv", small);
  auto outcome = files.metrics({file, "--by", "magnification"});
  INFO(outcome.out << outcome.err);
  CHECK(outcome.code == 0);
  CHECK(outcome.out.starts_with("5 images of 3 patients, 2 classes, positive: 1\n"));
  CHECK(outcome.out.find("auc                        0.8333") != std::string::npos);
  CHECK(outcome.out.find("\n40 ") < outcome.out.find("\n100 "));
  const auto found = files.figures({file, "--threshold", "0.85", "--by", "magnification"});
  CHECK(found["metrics"]["sensitivity"] == Approx(1.0 / 3));
  CHECK(found["metrics"]["specificity"] == 1.0);
  CHECK(found["metrics"]["patient.auc"] == 1.0);
  CHECK(found["subgroups"]["magnification"]["40"]["metrics"]["auc"] == 1.0);
  CHECK(found["subgroups"]["magnification"]["100"]["samples"] == 2);
  CHECK(found["curves"]["decision"]["threshold"].size() == 99);
}

TEST_CASE("metrics: the same predictions in every form") {
  Files files;
  const auto csv = files.figures({files.write("a.csv", small)});
  auto forms = {
      files.figures({files.write("b.csv",
                                 "target,score_benign,score_malignant,group\n"
                                 "benign,0.9,0.1,p1\nbenign,0.4,0.6,p1\nmalignant,0.1,0.9,p2\n"
                                 "malignant,0.6,0.4,p2\nmalignant,0.2,0.8,p3\n")}),
      files.figures({files.write("c.json",
                                 R"({"target":[0,0,1,1,1],"score":[0.1,0.6,0.9,0.4,0.8],
                                     "group":["p1","p1","p2","p2","p3"]})")}),
      files.figures(
          {files.write(
               "d.json",
               R"([{"target":"b","score":0.1,"group":1},{"target":"b","score":0.6,"group":1},
              {"target":"m","score":0.9,"group":2},{"target":"m","score":0.4,"group":2},
              {"target":"m","score":0.8,"group":3}])"),
           "--positive", "m"}),
  };
  for (const auto& one : forms)
    for (const auto& [name, value] : csv["metrics"].items())
      check_equal(one["metrics"][name], value, name);
}

TEST_CASE("metrics: scores that are no probabilities are ranks") {
  Files files;
  const auto file = files.write("r.csv", "target,score\n0,-3\n0,1\n1,2\n1,0.5\n");
  const auto ranks = files.figures({file});
  CHECK(ranks["scores"] == "ranks");
  CHECK(ranks["metrics"]["auc"] == 0.75);
  CHECK_FALSE(ranks["metrics"].contains("accuracy"));
  CHECK_FALSE(ranks["metrics"].contains("log_loss"));
  CHECK(files.figures({file, "--threshold", "0"})["metrics"]["accuracy"] == 0.75);
}

TEST_CASE("metrics: intervals by patient, and none for four patients") {
  Files files;
  std::string text = "target,score,group\n";
  for (int i = 0; i < 60; ++i)
    text += std::to_string(i / 30) + "," + std::to_string(0.01 * ((i * 37) % 70) + 0.2 * (i / 30)) +
            ",p" + std::to_string(i / 3) + "\n";
  const auto found = files.figures({files.write("i.csv", text), "--bootstrap", "500"});
  CHECK(found["intervals"]["by"] == "group");
  CHECK(found["intervals"]["clusters"] == 20);
  CHECK(found["intervals"]["quantum"] == Approx(0.1));
  const auto& auc = found["intervals"]["figures"]["auc"];
  CHECK(auc["value"] == found["metrics"]["auc"]);
  for (const char* method : {"percentile", "bca", "small_sample"}) {
    CHECK(auc[method][0] < auc["value"]);
    CHECK(auc[method][1] > auc["value"]);
  }
  const auto few = files.metrics({files.write("f.csv", small), "--bootstrap", "500"});
  CHECK(few.out.find("no intervals: 1 patient in the scarcest class, 5 are needed; one patient of "
                     "the scarcest class = 100.0 points of its recall") != std::string::npos);
}

TEST_CASE("metrics: what is wrong is said, with its place") {
  Files files;
  const auto refused = [&](const std::string& name, const std::string& text,
                           std::vector<std::string> more = {}) {
    more.insert(more.begin(), files.write(name, text));
    const auto outcome = files.metrics(more);
    CHECK(outcome.out.empty());
    CHECK(outcome.code == (outcome.err.find("--") == std::string::npos ? 3 : 2));
    return outcome.err;
  };
  CHECK(refused("a.csv", "target,score\n0,0.1\n1,abc\n") ==
        "error: a.csv:3: score: expected a finite number, got \"abc\"\n");
  CHECK(refused("a.csv", "target,score\n0,0.1\n1,nan\n") ==
        "error: a.csv:3: score: expected a finite number, got \"nan\"\n");
  CHECK(refused("a.csv", "target,score\n") == "error: a.csv: there are no predictions\n");
  CHECK(refused("a.csv", "") == "error: a.csv: there are no predictions\n");
  CHECK(refused("a.csv", "target,p\n0,1\n") ==
        "error: a.csv: there is no score; one column score, or score_CLASS for each class\n");
  CHECK(refused("a.csv", "score\n0.5\n") == "error: a.csv: there is no column target\n");
  CHECK(refused("a.csv", "target,score\n0,0.5,7\n") ==
        "error: a.csv:2: 3 cells, the first line has 2; quote cells that hold a comma\n");
  CHECK(refused("a.csv", "target,score_a,score_b\nc,0.5,0.5\n") ==
        "error: a.csv:2: target: \"c\" is no class; name a score_CLASS column, or its index from "
        "0\n");
  CHECK(refused("a.csv", "target,score\nx,0.5\ny,0.4\nz,0.1\n") ==
        "error: a.csv: a single score, but 3 classes; give a column score_CLASS for each class\n");
  CHECK(refused("a.csv", "target,score\nx,0.5\ny,0.4\n") ==
        "error: --positive: which class is the score's, \"x\" or \"y\"?; name it\n");
  CHECK(refused("a.csv", "target,score,group\n0,0.5,\n1,0.5,p\n") ==
        "error: a.csv:2: group is empty; every row needs its patient\n");
  CHECK(refused("a.csv", "target,score,side\n0,0.5,l\n1,0.5,r\n", {"--by", "sid"}) ==
        "error: --by: no column \"sid\"; did you mean \"side\"?\n");
  CHECK(refused("a.json", "{\"target\":[0,1],\"score\":[0.5") ==
        "error: a.json: not valid JSON at byte 29\n");
  CHECK(refused("a.json", "{\"target\":[0,1],\"score\":[0.5]}") ==
        "error: a.json: score: 1 values, target has 2\n");
  CHECK(refused("a.json", "{\"target\":[0,1],\"probability\":[[0.5,0.5],[1]]}") ==
        "error: a.json: row 2: probability: another number of classes than in row 1\n");
  CHECK(refused("a.json", std::string(100000, '[')) ==
        "error: a.json: nested too deeply for predictions\n");
  CHECK(refused("a.json", "[1]") == "error: a.json: row 1: expected an object\n");
  CHECK(refused("a.json", "{\"cases\":[]}") ==
        "error: a.json: cases: expected an array that is not empty\n");
  CHECK(files.metrics({"none.csv"}).err ==
        "error: none.csv: cannot be opened: No such file or directory\n");
}
