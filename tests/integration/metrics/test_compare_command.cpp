// `bcx compare` on runs that were stored.
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/philox.h"
#include "description.h"
#include "tests/catch.h"
#include "tests/process.h"

using namespace bcx::test;
using namespace bcx::tracker;
using nlohmann::json;

namespace {

constexpr int patients = 24, images = 5;

/// 24 patients of 5 images in one data set; runs that see the class to a degree.
struct Runs {
  Runs() {
    good_ = add("good", 3.0, 0, patients);
    poor_ = add("poor", 0.0, 0, patients);
    elsewhere_ = add("elsewhere", 3.0, 4, patients);
  }

  std::string add(const std::string& name, double strength, int from, int to) {
    auto about = description(name);
    if (name == "poor") about.params[0].value = std::int64_t{32};
    auto run = RunWriter::create(path, about);
    DatasetRow dataset{"d", "folders", "", {"benign", "malignant"}, 1, "case"};
    std::vector<SampleRow> samples;
    std::vector<SplitMember> members;
    std::vector<std::uint64_t> ids;
    std::vector<float> logits;
    const bcx::Stream stream(1, name);
    for (int p = 0; p < patients; ++p)
      for (int i = 0; i < images; ++i) {
        const auto id = static_cast<std::uint64_t>(p * images + i + 1);
        const int target = p % 2;
        samples.push_back({id, "i" + std::to_string(id), target, "p" + std::to_string(p), {}});
        members.push_back({id, "test"});
        if (p < from || p >= to) continue;
        ids.push_back(id);
        logits.push_back(0.0f);
        logits.push_back(static_cast<float>(strength * (target - 0.5) + stream.normal(id)));
      }
    run->dataset(dataset, samples);
    run->split({"s" + name, "d", "holdout", "case", 0, 0, "{}"}, members);
    EvaluationRow row;
    row.part = "test";
    row.purpose = "final";
    run->evaluation(row, ids, logits);
    if (name == "elsewhere") run->stamp("LEAKY", "2 groups are on both sides");
    run->finish(Status::finished, "");
    return run->id();
  }

  Outcome compare(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {(build_dir() / "bin/bcx").string(), "compare"});
    arguments.insert(arguments.end(), {"--tracker", path.string(), "--bootstrap", "500"});
    return run_process(std::move(arguments), folder.path());
  }

  TemporaryFolder folder;
  std::filesystem::path path = folder / "bcx.db";
  std::string good_, poor_, elsewhere_;
};

}  // namespace

TEST_CASE("compare: established, not established, not comparable") {
  Runs runs;
  const auto better = runs.compare({"poor", "good"});
  INFO(better.out << better.err);
  CHECK(better.code == 0);
  CHECK(better.out.find("B is better by ") != std::string::npos);
  CHECK(better.out.find(" in auc: established\n") != std::string::npos);
  CHECK(
      better.out.find("test part: 120 images of 24 patients (case), 12 in the scarcest class; one "
                      "of them = 8.3 points of its recall") != std::string::npos);
  CHECK(better.out.find("train.batch_size") != std::string::npos);
  CHECK(better.out.find("both assume independent images and decide nothing here") !=
        std::string::npos);

  CHECK(runs.compare({"good", "good"}).out.find("A and B have the same auc: not established") !=
        std::string::npos);

  const auto other = runs.compare({"good", "elsewhere"});
  CHECK(other.code == 0);
  CHECK(other.out.find("not comparable: different test samples: 20 only in ") != std::string::npos);
  CHECK(other.out.find(", 100 in both\n") != std::string::npos);
  CHECK(other.out.find("each on its own samples") != std::string::npos);
  CHECK(other.out.find("\nimages                   120") != std::string::npos);
  CHECK(other.out.find("compares nothing") != std::string::npos);
  CHECK(other.out.find(" is LEAKY: it was trained on patients that it is tested on") !=
        std::string::npos);
  CHECK(better.out.find("LEAKY") == std::string::npos);
}

TEST_CASE("compare --json, and a side of two runs") {
  Runs runs;
  const auto found = json::parse(runs.compare({"poor", "good", "--json"}).out);
  CHECK(found["verdict"] == "established");
  CHECK(found["configuration"]["train.batch_size"]["a"] == "32");
  const auto& auc = found["figures"]["auc"];
  CHECK(auc["difference"].get<double>() == Approx(auc["b"].get<double>() - auc["a"].get<double>()));
  CHECK(auc["small_sample"][0] > 0);
  CHECK(found["figures"].contains("patient.auc"));
  CHECK(found["agreement"]["delong"]["assumes"] == "independent images");

  const auto sides = json::parse(runs.compare({"poor", "--json", "--against", "good", "poor"}).out);
  CHECK(sides["b"].size() == 2);
  CHECK(sides["figures"]["auc"]["difference"].get<double>() ==
        Approx(auc["difference"].get<double>() / 2));
  const auto apart = json::parse(runs.compare({"good", "elsewhere", "--json"}).out);
  CHECK(apart["verdict"] == "not_comparable");
  REQUIRE(apart["alone"].size() == 2);
  CHECK(apart["alone"][0]["samples"] == 120);
  CHECK(apart["alone"][1]["samples"] == 100);
  // The same figures as beside a run that it can be compared with.
  CHECK(apart["alone"][0]["figures"]["auc"]["value"] == found["figures"]["auc"]["b"]);
  CHECK(apart["alone"][0]["figures"]["auc"]["bca"][0] <
        apart["alone"][0]["figures"]["auc"]["value"]);
}

namespace {

/// A run that is made of two folds, of the even and of the odd pairs of patients.
void add_folds(const std::filesystem::path& path, const std::string& name, double strength) {
  auto about = description(name);
  about.params.push_back({"folds", std::int64_t{2}, false, "--folds"});
  auto parent = RunWriter::create(path, about);
  for (int fold = 0; fold < 2; ++fold) {
    auto of_fold = description(name + "-fold" + std::to_string(fold));
    of_fold.parent = parent->id();
    of_fold.params.push_back({"data.split.fold", std::int64_t{fold}, false, "--folds"});
    auto run = RunWriter::create(path, of_fold);
    std::vector<SampleRow> samples;
    std::vector<SplitMember> members;
    std::vector<std::uint64_t> ids;
    std::vector<float> logits;
    const bcx::Stream stream(2, name);
    for (int p = 0; p < patients; ++p)
      for (int i = 0; i < images; ++i) {
        const auto id = static_cast<std::uint64_t>(p * images + i + 1);
        const bool tests = p / 2 % 2 == fold;
        samples.push_back({id, "i" + std::to_string(id), p % 2, "p" + std::to_string(p), {}});
        members.push_back({id, tests ? "test" : "train"});
        if (!tests) continue;
        ids.push_back(id);
        // A fold's scores have a scale of their own.
        logits.push_back(static_cast<float>(3 * fold));
        logits.push_back(
            static_cast<float>(3 * fold + strength * (p % 2 - 0.5) + stream.normal(id)));
      }
    run->dataset({"df", "folders", "", {"benign", "malignant"}, 1, "case"}, samples);
    run->split({"sf" + std::to_string(fold), "df", "kfold", "case", fold, 2, "[]"}, members);
    EvaluationRow row;
    row.part = "test";
    row.purpose = "final";
    run->evaluation(row, ids, logits);
    run->finish(Status::finished, "");
  }
  parent->finish(Status::finished, "");
}

}  // namespace

TEST_CASE("compare: runs that are made of folds, fold by fold") {
  Runs runs;
  add_folds(runs.path, "strong", 4.0);
  add_folds(runs.path, "weak", 0.5);
  const auto told = runs.compare({"weak", "strong"});
  INFO(told.out << told.err);
  CHECK(told.code == 0);
  CHECK(told.out.find("test part of 2 folds: 120 images of 24 patients (case)") !=
        std::string::npos);
  CHECK(told.out.find("B is better by ") != std::string::npos);
  CHECK(told.out.find(" in auc: established\n") != std::string::npos);
  CHECK(told.out.find("figures are means over the folds") != std::string::npos);
  CHECK(told.out.find("DeLong") == std::string::npos);
  const auto found = json::parse(runs.compare({"weak", "strong", "--json"}).out);
  CHECK(found["folds"] == 2);
  CHECK(found["samples"] == 120);
  CHECK(found["clusters"] == 24);

  const auto mixed = runs.compare({"weak", "good"});
  CHECK(mixed.code == 2);
  CHECK(mixed.err ==
        "error: bcx compare: a run that is made of folds is compared with one other such run; bcx "
        "compare A B, both started with --folds; or name single folds\n");
}

TEST_CASE("compare: mistakes") {
  Runs runs;
  auto outcome = runs.compare({"good"});
  CHECK(outcome.code == 2);
  CHECK(outcome.err ==
        "error: bcx compare: expected two runs; bcx compare A B, or bcx compare A A2 --against B "
        "B2\n");
  outcome = runs.compare({"good", "poor", "--metric", "acuracy"});
  CHECK(outcome.code == 2);
  CHECK(outcome.err == "error: --metric: no figure \"acuracy\"; did you mean \"accuracy\"?\n");
  outcome = runs.compare({"good", "poor", "--part", "validation"});
  CHECK(outcome.code == 3);
  CHECK(outcome.err.find(
            "has no final predictions of its validation part; runs that finished have") !=
        std::string::npos);
}
