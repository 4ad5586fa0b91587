#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "eval/curves.h"
#include "eval/roc_band.h"
#include "report/charts.h"

namespace bcx::report {
namespace {

using eval::Clusters;

std::vector<bool> positives_of(const Tested& tested) {
  return eval::is_class(tested.contender.outcomes.targets, tested.compared.positive);
}

eval::Scores scores_of(const Tested& tested) {
  return tested.contender.outcomes.scores.scores(tested.compared.positive);
}

std::string interval_text(const Tested& tested, std::string_view name) {
  const auto* found = tested.intervals(name);
  if (!found || !found->bca) return {};
  return fmt::format(" (95 % {} to {}, BCa by {})", share_text(found->bca->low),
                     share_text(found->bca->high), unit_of(tested));
}

/// The highest sensitivity at each of a few specificities.
HtmlTable operating_points(const eval::RocCurve& roc) {
  HtmlTable table({"#specificity at least", "#sensitivity", "#specificity", "#threshold"});
  for (const double wanted : {0.99, 0.95, 0.9, 0.85, 0.8, 0.7, 0.6, 0.5}) {
    std::size_t best = 0;
    for (std::size_t i = 0; i < roc.threshold.size(); ++i)
      if (1.0 - roc.false_positive_rate[i] >= wanted - 1e-12 &&
          roc.true_positive_rate[i] > roc.true_positive_rate[best])
        best = i;
    table.add({share_text(wanted), share_text(roc.true_positive_rate[best]),
               share_text(1.0 - roc.false_positive_rate[best]),
               std::isfinite(roc.threshold[best]) ? share_text(roc.threshold[best]) : "-"});
  }
  return table;
}

void add_operating_point(Chart& chart, const Tested& tested) {
  const double sensitivity = tested.figure("sensitivity");
  const double specificity = tested.figure("specificity");
  if (std::isnan(sensitivity) || std::isnan(specificity)) return;
  chart.traces.push_back({{"type", "scatter"},
                          {"mode", "markers"},
                          {"name", "at the threshold"},
                          {"x", {1.0 - specificity}},
                          {"y", {sensitivity}},
                          {"marker", {{"size", 10}, {"color", colour(1)}}}});
}

std::optional<Chart> roc_chart(const Tested& tested, const std::string& prefix,
                               const eval::BootstrapOptions& options) {
  const auto positives = positives_of(tested);
  const auto scores = scores_of(tested);
  const auto roc = eval::roc_curve(positives, scores);
  if (!roc) return std::nullopt;
  Chart chart{prefix + "roc",
              "ROC curve: AUC " + share_text(tested.figure("auc")) + interval_text(tested, "auc"),
              "Sensitivity against false alarms, over all thresholds; the diagonal is guessing.",
              {"1 - specificity", {-0.01, 1.01}},
              {"sensitivity", {-0.01, 1.01}},
              {},
              {operating_points(*roc)},
              true};
  chart.traces = nlohmann::ordered_json::array();
  const auto& outcomes = tested.contender.outcomes;
  if (!outcomes.groups.empty()) {
    const auto clusters = Clusters::by_group(outcomes.groups, outcomes.targets, outcomes.classes());
    std::vector<double> x, low, high;
    for (const auto& point : eval::roc_band(positives, scores, clusters, options)) {
      x.push_back(point.false_positive_rate);
      low.push_back(point.low);
      high.push_back(point.high);
    }
    if (!x.empty())
      chart.traces.push_back(
          band("95 % by " + unit_of(tested), x, low, high, "rgba(0,114,178,0.16)"));
    else
      chart.note += " No band: too few patients in a class.";
  }
  const auto drawn = corners(*roc);
  auto curve = line("ROC", drawn.false_positive_rate, drawn.true_positive_rate, colour(0));
  curve["hovertemplate"] = "1 - specificity %{x:.3f}<br>sensitivity %{y:.3f}<extra></extra>";
  chart.traces.push_back(std::move(curve));
  chart.traces.push_back(reference("guessing", {0, 1}, {0, 1}));
  add_operating_point(chart, tested);
  return chart;
}

std::optional<Chart> precision_recall_chart(const Tested& tested, const std::string& prefix) {
  const auto positives = positives_of(tested);
  const auto curve = eval::precision_recall_curve(positives, scores_of(tested));
  if (!curve) return std::nullopt;
  const double prevalence =
      static_cast<double>(std::count(positives.begin(), positives.end(), true)) /
      static_cast<double>(positives.size());
  Chart chart{prefix + "pr",
              "Precision and recall: average precision " +
                  share_text(tested.figure("average_precision")) +
                  interval_text(tested, "average_precision"),
              fmt::format("Dashed: the share of positives here, {}. With another share in the "
                          "population, precision is another.",
                          share_text(prevalence)),
              {"recall (sensitivity)", {-0.01, 1.01}},
              {"precision", {-0.01, 1.01}},
              {},
              {},
              true};
  chart.traces = nlohmann::ordered_json::array();
  chart.traces.push_back(line("precision", curve->recall, curve->precision, colour(0)));
  chart.traces.push_back(reference("share of positives", {0, 1}, {prevalence, prevalence}));
  HtmlTable table({"#recall at least", "#precision"});
  for (const double wanted : {0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99}) {
    double best = 0.0;
    for (std::size_t i = 0; i < curve->recall.size(); ++i)
      if (curve->recall[i] >= wanted - 1e-12) best = std::max(best, curve->precision[i]);
    table.add({share_text(wanted), share_text(best)});
  }
  chart.tables.push_back(std::move(table));
  return chart;
}

std::optional<Chart> calibration_chart(const Tested& tested, const std::string& prefix) {
  const auto& outcomes = tested.contender.outcomes;
  Chart chart{prefix + "calibration",
              "Calibration: expected error " + share_text(tested.figure("ece")),
              "Of predictions with a given confidence, how many were right. Below the diagonal "
              "the model is surer than it should be. The size of a mark is its number of images.",
              {"confidence (of the predicted class)", {-0.01, 1.01}},
              {"share that was right", {-0.01, 1.04}},
              {},
              {},
              true};
  chart.traces = nlohmann::ordered_json::array();
  std::vector<double> x, y, size;
  std::vector<std::string> text;
  HtmlTable table({"#images", "#mean confidence", "#share that was right"});
  for (const auto& bin : eval::calibration_curve(outcomes.targets, outcomes.scores)) {
    if (bin.count == 0) continue;
    x.push_back(bin.confidence);
    y.push_back(bin.accuracy);
    size.push_back(6.0 + 26.0 * std::sqrt(static_cast<double>(bin.count) /
                                          static_cast<double>(outcomes.size())));
    text.push_back(fmt::format("{} images", bin.count));
    table.add({fmt::format("{}", bin.count), share_text(bin.confidence), share_text(bin.accuracy)});
  }
  if (x.empty()) return std::nullopt;
  auto bins = line("bins", x, y, colour(0));
  bins["mode"] = "lines+markers";
  bins["line"]["width"] = 1;
  bins["marker"]["size"] = size;
  bins["text"] = text;
  chart.traces.push_back(reference("as sure as right", {0, 1}, {0, 1}));
  chart.traces.push_back(std::move(bins));
  chart.tables.push_back(std::move(table));
  return chart;
}

std::optional<Chart> decision_chart(const Tested& tested, const std::string& prefix) {
  const auto points = eval::decision_curve(positives_of(tested), scores_of(tested));
  if (points.empty()) return std::nullopt;
  std::vector<double> x, net, all;
  double highest = 0.0;
  HtmlTable table({"#threshold", "#net benefit", "#calling all positive"});
  for (std::size_t i = 0; i < points.size(); ++i) {
    x.push_back(points[i].threshold);
    net.push_back(points[i].net_benefit);
    all.push_back(points[i].treat_all);
    highest = std::max({highest, net.back(), all.back()});
    if ((i + 1) % 10 == 0 || i == 4)
      table.add({share_text(x.back()), share_text(net.back()), share_text(all.back())});
  }
  Chart chart{prefix + "decision",
              "Decision curve",
              "Net benefit per image, in true positives, where a false alarm costs t / (1 - t) of "
              "a missed one. The model is of use where it lies above both dashed lines.",
              {"threshold t", {0.0, 1.0}},
              {"net benefit", {-0.3 * highest - 0.02, 1.08 * highest + 0.02}},
              {},
              {std::move(table)},
              true};
  chart.traces = nlohmann::ordered_json::array();
  chart.traces.push_back(line("this model", x, net, colour(0)));
  chart.traces.push_back(reference("all positive", x, all));
  chart.traces.push_back(reference("none positive", {0, 1}, {0, 0}));
  chart.traces.back()["line"]["dash"] = "dot";
  return chart;
}

}  // namespace

eval::RocCurve corners(const eval::RocCurve& roc) {
  eval::RocCurve out;
  const auto n = roc.threshold.size();
  for (std::size_t i = 0; i < n; ++i) {
    const auto flat = [&](const std::vector<double>& axis) {
      return i > 0 && i + 1 < n && axis[i - 1] == axis[i] && axis[i] == axis[i + 1];
    };
    if (flat(roc.false_positive_rate) || flat(roc.true_positive_rate)) continue;
    out.false_positive_rate.push_back(roc.false_positive_rate[i]);
    out.true_positive_rate.push_back(roc.true_positive_rate[i]);
    out.threshold.push_back(roc.threshold[i]);
  }
  return out;
}

std::vector<Chart> test_charts(const Tested& tested, const std::string& prefix,
                               const eval::BootstrapOptions& options) {
  std::vector<Chart> charts;
  const auto add = [&](std::optional<Chart> chart) {
    if (chart) charts.push_back(std::move(*chart));
  };
  if (tested.two_classes()) {
    add(roc_chart(tested, prefix, options));
    add(precision_recall_chart(tested, prefix));
  }
  add(calibration_chart(tested, prefix));
  if (tested.two_classes()) add(decision_chart(tested, prefix));
  return charts;
}

Chart roc_comparison(const std::vector<const Study*>& studies,
                     const std::vector<std::string>& names) {
  Chart chart{"comparison-roc",
              "ROC curves",
              "Of different test images where the runs are not comparable.",
              {"1 - specificity", {-0.01, 1.01}},
              {"sensitivity", {-0.01, 1.01}},
              {},
              {},
              true};
  chart.traces = nlohmann::ordered_json::array();
  for (std::size_t i = 0; i < studies.size(); ++i) {
    const auto& tested = studies[i]->tested;
    if (!tested || !tested->two_classes()) continue;
    const auto roc = eval::roc_curve(positives_of(*tested), scores_of(*tested));
    if (!roc) continue;
    const auto drawn = corners(*roc);
    chart.traces.push_back(
        line(fmt::format("{}: AUC {}", names[i], share_text(tested->figure("auc"))),
             drawn.false_positive_rate, drawn.true_positive_rate, colour(i)));
  }
  if (!chart.traces.empty()) chart.traces.push_back(reference("guessing", {0, 1}, {0, 1}));
  return chart;
}

}  // namespace bcx::report
