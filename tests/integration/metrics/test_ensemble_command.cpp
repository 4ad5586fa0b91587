// `bcx ensemble` on runs that were stored, against a mean computed here.
#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "base/philox.h"
#include "description.h"
#include "tests/catch.h"
#include "tests/process.h"
#include "tracker/reader.h"

using namespace bcx::test;
using namespace bcx::tracker;
using nlohmann::json;

namespace {

constexpr int patients = 24, images = 4;

struct Made {
  std::string name;
  std::string split = "s", rule = "youden";
  std::vector<std::string> classes = {"benign", "malignant"};
  std::optional<double> temperature = std::nullopt;
  std::int64_t views = 3;
  int tested = patients;  ///< so many of them
  bool validated = true;
  std::string stamp = {};
};

/// The first 12 patients are the validation part, all 24 the test part: nothing here minds.
class Runs {
 public:
  void add(const Made& made) {
    auto run = RunWriter::create(path_, description(made.name));
    run->dataset({"d" + made.classes.front(), "folders", "", made.classes, 1, "case"}, samples());
    std::vector<SplitMember> members;
    for (const auto& one : samples()) members.push_back({one.id, "test"});
    run->split({made.split, "d" + made.classes.front(), "holdout", "case", 0, 0, "[]"}, members);
    EvaluationRow row;
    row.temperature = made.temperature;
    row.purpose = "final";
    row.part = "validation";
    if (made.validated) evaluate(*run, row, made.name + "v", patients / 2);
    row.part = "test";
    row.threshold = made.rule;
    row.threshold_value = 0.5;
    evaluate(*run, row, made.name, made.tested);
    row.purpose = "tta";
    row.tta = made.views;
    evaluate(*run, row, made.name + "t", made.tested);
    if (!made.stamp.empty()) run->stamp(made.stamp, "why");
    run->finish(Status::finished, "");
  }

  Outcome bcx(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), (build_dir() / "bin/bcx").string());
    arguments.insert(arguments.end(), {"--tracker", path_.string()});
    return run_process(std::move(arguments), folder_.path(), folder_.path());
  }
  json ask(std::vector<std::string> arguments) const {
    arguments.push_back("--json");
    const auto done = bcx(std::move(arguments));
    INFO(done.err);
    REQUIRE(done.code == 0);
    return json::parse(done.out);
  }
  void fails(std::vector<std::string> arguments, int code, const std::string& error) const {
    const auto done = bcx(std::move(arguments));
    CHECK(done.err == "error: " + error + "\n");
    CHECK(done.code == code);
  }

  /// Probability of the second class by sample, softmax(logits / temperature) in double.
  std::map<std::uint64_t, double> scores(const std::string& name, const std::string& part,
                                         const std::string& purpose) const {
    const Reader reader(path_);
    std::map<std::uint64_t, double> all;
    for (const auto& one : reader.evaluations(reader.find(name).id)) {
      if (one.row.part != part || one.row.purpose != purpose) continue;
      for (const auto& row : reader.predictions(one.id)) {
        const double t = one.row.temperature.value_or(1.0);
        all[row.sample] = 1.0 / (1.0 + std::exp((row.logits[0] - row.logits[1]) / t));
      }
    }
    return all;
  }
  RunShown run(const std::string& name) const {
    const Reader reader(path_);
    return reader.run(reader.find(name).id);
  }
  std::string short_id(const std::string& name) const { return run(name).short_id; }
  static int target_of(std::uint64_t sample) { return static_cast<int>((sample - 1) / images) % 2; }

 private:
  static std::vector<SampleRow> samples() {
    std::vector<SampleRow> all;
    for (std::uint64_t id = 1; id <= patients * images; ++id)
      all.push_back({id,
                     "i" + std::to_string(id),
                     target_of(id),
                     "p" + std::to_string((id - 1) / images),
                     {}});
    return all;
  }
  /// In falling order of ids: an order is nothing to go by.
  static void evaluate(RunWriter& run, const EvaluationRow& row, const std::string& key,
                       int of_patients) {
    const bcx::Stream stream(1, key);
    std::vector<std::uint64_t> ids;
    std::vector<float> logits;
    for (auto id = static_cast<std::uint64_t>(of_patients * images); id > 0; --id) {
      ids.push_back(id);
      logits.push_back(static_cast<float>(stream.normal(2 * id)));
      logits.push_back(static_cast<float>(target_of(id) + stream.normal(2 * id + 1)));
    }
    auto with_figure = row;
    with_figure.metrics = {{"auc", 0.75}};
    run.evaluation(with_figure, ids, logits);
  }

  TemporaryFolder folder_;
  std::filesystem::path path_ = folder_ / "bcx.db";
};

/// Youden's threshold by brute force: the highest score of the largest sensitivity + specificity.
double youden(const std::map<std::uint64_t, double>& scores) {
  double best = -1, chosen = 0;
  for (const auto& [sample, threshold] : scores) {
    double right[2] = {0, 0}, all[2] = {0, 0};
    for (const auto& [other, score] : scores) {
      const int target = Runs::target_of(other);
      ++all[target];
      right[target] += (score >= threshold) == (target == 1);
    }
    const double value = right[0] / all[0] + right[1] / all[1];
    if (value > best || (value == best && threshold > chosen)) chosen = threshold;
    best = std::max(best, value);
  }
  return chosen;
}

/// Mann-Whitney, pair by pair.
double auc(const std::map<std::uint64_t, double>& scores) {
  double won = 0, pairs = 0;
  for (const auto& [p, positive] : scores)
    for (const auto& [n, negative] : scores)
      if (Runs::target_of(p) == 1 && Runs::target_of(n) == 0) {
        won += positive > negative ? 1.0 : positive == negative ? 0.5 : 0.0;
        ++pairs;
      }
  return won / pairs;
}

}  // namespace

TEST_CASE("an ensemble is the mean of its members' probabilities, recorded as a run") {
  Runs runs;
  runs.add({.name = "a"});
  runs.add({.name = "b", .temperature = 2.5, .stamp = "LEAKY"});
  runs.add({.name = "c"});
  const auto made = runs.ask({"ensemble", "a", "b", "c", "--name", "all"});
  for (const auto& [part, purpose] :
       {std::pair{"validation", "final"}, std::pair{"test", "final"}, std::pair{"test", "tta"}}) {
    INFO(part << " " << purpose);
    const auto all = runs.scores("all", part, purpose);
    REQUIRE(all.size() == patients * images / (std::string(part) == "test" ? 1 : 2));
    std::map<std::string, std::map<std::uint64_t, double>> of;
    for (const char* name : {"a", "b", "c"}) of[name] = runs.scores(name, part, purpose);
    for (const auto& [sample, score] : all)
      CHECK(
          score ==
          Approx((of["a"].at(sample) + of["b"].at(sample) + of["c"].at(sample)) / 3).margin(1e-7));
  }
  CHECK(made.at("metrics").at("test.auc").get<double>() ==
        Approx(auc(runs.scores("all", "test", "final"))).epsilon(1e-12));
  CHECK(made.at("metrics").at("test.tta.auc").get<double>() ==
        Approx(auc(runs.scores("all", "test", "tta"))).epsilon(1e-12));
  CHECK(made.at("stamps") == json{"LEAKY"});

  const auto run = runs.ask({"show", "all"});
  CHECK(run.at("status") == "finished");
  CHECK(run.at("stamp_details").at("LEAKY") == "why");
  CHECK(run.at("params").at("ensemble.runs") ==
        json{runs.run("a").id, runs.run("b").id, runs.run("c").id});
  // The threshold is chosen anew, on the mean of the validation predictions, and frozen.
  const double threshold = youden(runs.scores("all", "validation", "final"));
  CHECK(run.at("params").at("threshold").get<double>() == Approx(threshold).epsilon(1e-6));
  REQUIRE(run.at("evaluations").size() == 3);
  CHECK(run.at("evaluations").at(0).at("threshold_value").is_null());
  for (const auto i : {1, 2})
    CHECK(run.at("evaluations").at(i).at("threshold_value").get<double>() ==
          Approx(threshold).epsilon(1e-6));
  CHECK(run.at("evaluations").at(2).at("tta") == 3);
  CHECK(run.at("evaluations").at(1).at("look") == 7);  // each look at the test part counts
  CHECK(runs.ask({"sql",
                  "SELECT DISTINCT kind FROM curve JOIN run ON run.id = curve.run WHERE "
                  "run.name = 'all'"})
            .size() == 4);
}

TEST_CASE("what runs do, an ensemble does") {
  Runs runs;
  runs.add({.name = "a"});
  runs.add({.name = "b", .views = 5, .validated = false});
  const auto made = runs.bcx({"ensemble", "a", "b", "--threshold", "0.4", "--name", "both"});
  INFO(made.err);
  REQUIRE(made.code == 0);
  CHECK(made.out.starts_with("test"));
  // Other views, and no validation part in one: these passes are left out.
  CHECK(runs.ask({"show", "both"}).at("evaluations").size() == 1);
  const auto compared = runs.bcx({"compare", "a", "both", "--bootstrap", "200"});
  CHECK(compared.code == 0);
  CHECK(compared.out.find("test part: 96 images of 24 patients (case)") != std::string::npos);
  CHECK(runs.bcx({"report", "both", "--out", "both.html", "--bootstrap", "200"}).code == 0);
  const auto again = runs.bcx({"ensemble", "both", "a", "--threshold", "0.5"});
  CHECK(again.code == 0);
  runs.fails({"predict", "both", "x.png"}, 2,
             "run both: averages other runs' predictions and has no model of its own; name one of "
             "those runs (bcx show has them)");
}

TEST_CASE("what cannot be averaged is refused, and leaves nothing behind") {
  Runs runs;
  runs.add({.name = "a"});
  runs.add({.name = "split", .split = "other"});
  runs.add({.name = "renamed", .classes = {"malignant", "benign"}});
  runs.add({.name = "few", .tested = 10});
  runs.add({.name = "fixed", .rule = "0.5"});
  runs.add({.name = "blind", .validated = false});
  const auto a = runs.short_id("a");
  runs.fails({"ensemble", "a", "split"}, 2,
             "bcx ensemble: " + a + " and " + runs.short_id("split") +
                 " have different splits: what one tests the other may have been trained on; "
                 "average runs of one split");
  runs.fails({"ensemble", "a", "renamed"}, 2,
             "bcx ensemble: " + a + " tells benign, malignant apart, " + runs.short_id("renamed") +
                 " tells malignant, benign; average runs of the same classes, in the same order");
  runs.fails({"ensemble", "a", "few"}, 3,
             "run few: has predictions of other test samples than " + a +
                 "; average runs without train.limit_batches");
  runs.fails({"ensemble", "a", "fixed"}, 2,
             "bcx ensemble: the runs have different thresholds: 0.5, youden; say how the "
             "ensemble's is chosen: --threshold RULE");
  runs.fails({"ensemble", "a", "blind"}, 3,
             "bcx ensemble: \"youden\" is chosen on the validation part, and not all of the runs "
             "have predictions of one; name a number: --threshold 0.5");
  runs.fails({"ensemble", "a", "a"}, 2, "run a: is named twice; name each run once");
  runs.fails({"ensemble", "a"}, 2,
             "bcx ensemble: expected two runs or more; bcx ensemble A B C, runs of one split");
  CHECK(runs.ask({"runs"}).size() == 6);
}
