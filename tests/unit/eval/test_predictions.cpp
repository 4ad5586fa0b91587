#include "eval/predictions.h"

#include <cmath>
#include <limits>
#include <map>
#include <set>

#include "eval/metric_names.h"
#include "tests/catch.h"

using namespace bcx::eval;

namespace {

/// Logits whose softmax gives the positive class this probability.
std::vector<float> logits_for(const std::vector<double>& positive) {
  std::vector<float> logits;
  for (const double p : positive) {
    logits.push_back(0.0f);
    logits.push_back(static_cast<float>(std::log(p / (1.0 - p))));
  }
  return logits;
}

std::map<std::string, double> named(const Predictions& predictions,
                                    const MetricOptions& options = {}) {
  const auto list = named_metrics(predictions, "test", options);
  const std::map<std::string, double> result(list.begin(), list.end());
  CHECK(result.size() == list.size());  // no name twice
  return result;
}

/// Three patients: a (benign) 0.2 0.2, b (malignant) 0.9 0.45 0.45, c (malignant) 0.4.
Predictions three_patients() {
  Predictions p;
  p.groups = {"b", "a", "b", "c", "a", "b"};
  p.targets = {1, 0, 1, 1, 0, 1};
  p.logits = logits_for({0.9, 0.2, 0.45, 0.4, 0.2, 0.45});
  return p;
}

}  // namespace

TEST_CASE("metric_names() are those that predictions get") {
  std::set<std::string> given;
  for (const int classes : {2, 3}) {
    Predictions predictions;
    predictions.classes = classes;
    for (int i = 0; i < 12; ++i) {
      predictions.ids.push_back(static_cast<std::uint64_t>(i));
      predictions.targets.push_back(i % classes);
      predictions.groups.push_back(std::to_string(i % 5));
      for (int k = 0; k < classes; ++k)
        predictions.logits.push_back(static_cast<float>(std::sin(7 * i + 3 * k)));
    }
    for (const auto& [name, value] : named_metrics(predictions, "")) given.insert(name);
  }
  const auto& names = metric_names();
  CHECK(given == std::set<std::string>(names.begin(), names.end()));
}

TEST_CASE("images of a patient are summed up") {
  const auto patients = by_patient(three_patients());
  CHECK(patients.groups == std::vector<std::string>{"a", "b", "c"});
  CHECK(patients.targets == std::vector<Label>{0, 1, 1});
  CHECK(patients.images == std::vector<std::int64_t>{2, 3, 1});
  CHECK(patients.mean[3] == Approx(0.6).epsilon(1e-7));
  CHECK(patients.majority == std::vector<Label>{0, 0, 0});
  CHECK(patients.right[1] == Approx(1.0 / 3.0));
}

TEST_CASE("a tied vote goes to the larger mean probability") {
  Predictions p;
  p.groups = {"a", "a"};
  p.targets = {1, 1};
  p.logits = logits_for({0.9, 0.4});
  CHECK(by_patient(p).majority == std::vector<Label>{1});
  p.logits = logits_for({0.1, 0.6});
  CHECK(by_patient(p).majority == std::vector<Label>{0});
}

TEST_CASE("a patient with images of both classes counts once for each") {
  Predictions p;
  p.groups = {"a", "a", "b"};
  p.targets = {0, 1, 1};
  p.logits = logits_for({0.1, 0.9, 0.9});
  const auto patients = by_patient(p);
  CHECK(patients.groups == std::vector<std::string>{"a", "a", "b"});
  CHECK(patients.targets == std::vector<Label>{0, 1, 1});
}

TEST_CASE("two classes by name") {
  const auto m = named(three_patients());
  CHECK(m.at("test.accuracy") == 0.5);
  CHECK(m.at("test.majority_baseline") == Approx(4.0 / 6));
  CHECK(m.at("test.sensitivity") == 0.25);
  CHECK(m.at("test.recall") == 0.25);
  CHECK(m.at("test.specificity") == 1.0);
  CHECK(m.at("test.precision") == 1.0);
  CHECK(m.at("test.f1") == Approx(0.4));
  CHECK(m.at("test.balanced_accuracy") == 0.625);
  CHECK(m.at("test.auc") == 1.0);
  CHECK(m.at("test.average_precision") == 1.0);
  CHECK(m.at("test.loss") == Approx(m.at("test.log_loss")));
  CHECK(m.at("test.loss") ==
        Approx(-(std::log(0.9) + 2 * std::log(0.8) + 2 * std::log(0.45) + std::log(0.4)) / 6)
            .epsilon(1e-6));
  CHECK(m.at("test.patient.accuracy") == Approx(2.0 / 3));
  CHECK(m.at("test.patient.majority_accuracy") == Approx(1.0 / 3));
  CHECK(m.at("test.patient.score") == Approx((1.0 + 1.0 / 3 + 0.0) / 3));
  CHECK(m.at("test.patient.auc") == 1.0);
  CHECK(m.at("test.patient.sensitivity") == 0.5);
  CHECK(m.at("test.patient.specificity") == 1.0);
  CHECK(m.size() == 22);
}

TEST_CASE("the threshold and the positive class apply everywhere") {
  const auto low = named(three_patients(), {.rule = {.threshold = 0.4, .positive = 1}});
  CHECK(low.at("test.accuracy") == 1.0);
  CHECK(low.at("test.patient.accuracy") == 1.0);
  const auto other = named(three_patients(), {.rule = {.threshold = std::nullopt, .positive = 0}});
  CHECK(other.at("test.sensitivity") == 1.0);
  CHECK(other.at("test.specificity") == 0.25);
  CHECK(other.at("test.auc") == 1.0);
}

TEST_CASE("undefined metrics are absent") {
  Predictions p;
  p.targets = {1, 1};
  p.logits = logits_for({0.9, 0.8});
  const auto m = named(p);
  CHECK_FALSE(m.contains("test.auc"));
  CHECK_FALSE(m.contains("test.specificity"));
  CHECK_FALSE(m.contains("test.patient.auc"));
  CHECK(m.at("test.mcc") == 0.0);
  CHECK(m.at("test.balanced_accuracy") == 1.0);
  CHECK(named(Predictions{}).empty());
}

TEST_CASE("three classes by name") {
  Predictions p;
  p.classes = 3;
  p.groups = {"a", "b", "c"};
  p.targets = {0, 1, 2};
  p.logits = {2, 0, 0, 0, 2, 0, 0, 2, 1};
  const auto m = named(p);
  CHECK(m.at("test.accuracy") == Approx(2.0 / 3));
  CHECK(m.at("test.f1") == Approx((1.0 + 2.0 / 3 + 0.0) / 3));
  CHECK(m.contains("test.auc"));
  CHECK(m.contains("test.patient.auc"));
  CHECK_FALSE(m.contains("test.sensitivity"));
  CHECK_FALSE(m.contains("test.brier"));
}

TEST_CASE("a diverged model has a loss and nothing else") {
  Predictions p = three_patients();
  p.logits[3] = std::numeric_limits<float>::quiet_NaN();
  const auto m = named(p);
  CHECK(m.size() == 1);
  CHECK(std::isnan(m.at("test.loss")));
}

TEST_CASE("predictions that do not fit together are refused") {
  const auto message = [](Predictions p) {
    try {
      require_consistent(p);
      return std::string();
    } catch (const std::invalid_argument& error) {
      return std::string(error.what());
    }
  };
  Predictions p = three_patients();
  p.groups.pop_back();
  CHECK(message(p) == "predictions hold another number of groups than samples");
  p = three_patients();
  p.logits.pop_back();
  CHECK(message(p) == "predictions hold another number of logits than samples times classes");
  p = three_patients();
  p.ids = {1};
  CHECK(message(p) == "predictions hold another number of ids than samples");
  p = three_patients();
  p.targets[0] = 2;
  CHECK(message(p) == "a label is no class's index");
  p = three_patients();
  p.classes = 1;
  CHECK(message(p) == "predictions of fewer than two classes");
}
