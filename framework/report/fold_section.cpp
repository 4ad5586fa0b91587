// The section of a run that is made of folds.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "eval/curves.h"
#include "eval/folds.h"
#include "eval/recorded_predictions.h"
#include "eval/roc_band.h"
#include "eval/threshold.h"
#include "report/charts.h"
#include "report/sections.h"

namespace bcx::report {
namespace {

/// One pass through all samples: all folds, or those of one repeat.
struct Pass {
  std::string name;  ///< `repeat 2`; empty: there is one
  std::vector<std::int64_t> folds;
  std::vector<ComparedRun> runs;
  eval::FoldSummary summary;
};

std::int64_t whole_param(const tracker::RunShown& run, const char* key) {
  const auto found = run.params.find(key);
  const auto* value =
      found == run.params.end() ? nullptr : std::get_if<std::int64_t>(&found->second.value);
  return value ? *value : 1;
}

/// Empty unless every fold has come to its end.
std::vector<Pass> passes_of(const tracker::Reader& reader, const Study& study) {
  std::vector<ComparedRun> runs;
  std::vector<std::int64_t> folds;
  for (const auto& run : fold_runs(reader, study.run)) {
    auto loaded = load_run(reader, run, "test");
    if (!loaded || loaded->predictions.empty()) return {};
    runs.push_back(std::move(*loaded));
    folds.push_back(fold_of(run));
  }
  const auto count = whole_param(study.run, "folds");
  if (runs.empty() || std::ssize(runs) != count) return {};
  const auto method = study.run.params.find("data.split.method");
  const bool repeated = method != study.run.params.end() &&
                        method->second.value == tracker::ParamValue(std::string("repeated"));
  const auto repeats = repeated ? whole_param(study.run, "data.split.repeats") : 1;
  std::vector<Pass> passes(static_cast<std::size_t>(repeats));
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const auto number = static_cast<std::int64_t>(i) * repeats / count;
    auto& pass = passes[static_cast<std::size_t>(number)];
    if (repeats > 1) pass.name = fmt::format("repeat {}", number + 1);
    pass.folds.push_back(folds[i]);
    pass.runs.push_back(std::move(runs[i]));
  }
  for (auto& pass : passes) {
    std::vector<eval::Predictions> predictions;
    for (const auto& run : pass.runs)
      predictions.push_back(eval::recorded_predictions(
          run.predictions, run.classes.size(), run.evaluation.row.temperature.value_or(1.0)));
    const auto& first = pass.runs.front();
    const auto& rule = first.evaluation.row.threshold;
    pass.summary = eval::summarise_folds(predictions, rule.empty() ? "0.5" : rule, first.positive);
  }
  return passes;
}

double pooled_figure(const Pass& pass, std::string_view name) {
  for (const auto& [key, value] : pass.summary.pooled)
    if (key == name) return value;
  return std::nan("");
}

HtmlTable figures_table(const tracker::Reader& reader, const Study& study) {
  std::map<std::string, std::map<std::int64_t, double>> values;
  std::set<std::int64_t> numbers;
  for (const auto& [key, summary] : study.run.metrics)
    if (key.starts_with("fold."))
      for (const auto& point : reader.series(study.run.id, key)) {
        values[key.substr(5)][point.step] = point.value;
        numbers.insert(point.step);
      }
  std::vector<std::string> titles{"figure"};
  for (const auto fold : numbers) titles.push_back(fmt::format("#fold {}", fold));
  titles.insert(titles.end(), {"#mean", "#spread", "#pooled"});
  HtmlTable table(titles);
  for (const auto& [name, of_fold] : values) {
    std::vector<std::string> row{name};
    for (const auto fold : numbers)
      row.push_back(of_fold.contains(fold) ? share_text(of_fold.at(fold)) : "-");
    for (const auto& key : {"test." + name, "test." + name + ".sd", "test.pooled." + name}) {
      const auto found = study.run.metrics.find(key);
      row.push_back(found == study.run.metrics.end() ? "-" : share_text(found->second.last));
    }
    table.add(std::move(row));
  }
  return table;
}

enum class Kind { roc, precision_recall };

struct Curve {
  std::vector<double> x, y;
};

std::optional<Curve> curve_of(Kind kind, const eval::Outcomes& outcomes, int positive) {
  const auto positives = eval::is_class(outcomes.targets, positive);
  const auto scores = outcomes.scores.scores(positive);
  if (kind == Kind::roc) {
    const auto roc = eval::roc_curve(positives, scores);
    if (!roc) return std::nullopt;
    auto drawn = corners(*roc);
    return Curve{std::move(drawn.false_positive_rate), std::move(drawn.true_positive_rate)};
  }
  auto curve = eval::precision_recall_curve(positives, scores);
  if (!curve) return std::nullopt;
  return Curve{std::move(curve->recall), std::move(curve->precision)};
}

/// A band needs patients, and one pass: repeats test the same ones again.
void add_band(Chart& chart, const eval::Outcomes& ranked, int positive,
              const eval::BootstrapOptions& options) {
  if (ranked.groups.empty()) return;
  const auto clusters = eval::Clusters::by_group(ranked.groups, ranked.targets, ranked.classes());
  std::vector<double> x, low, high;
  for (const auto& point : eval::roc_band(eval::is_class(ranked.targets, positive),
                                          ranked.scores.scores(positive), clusters, options)) {
    x.push_back(point.false_positive_rate);
    low.push_back(point.low);
    high.push_back(point.high);
  }
  if (!x.empty())
    chart.traces.push_back(band("95 % by patient", x, low, high, "rgba(0,114,178,0.16)"));
}

void add_folds(Chart& chart, const Pass& pass, Kind kind) {
  for (std::size_t i = 0; i < pass.runs.size(); ++i) {
    const auto& run = pass.runs[i];
    const auto own = curve_of(kind, contender_of(run).outcomes, run.positive);
    if (!own) continue;
    auto trace = line(fmt::format("fold {}", pass.folds[i]), own->x, own->y,
                      colour(static_cast<std::size_t>(pass.folds[i]) + 1));
    trace["line"]["width"] = 1;
    trace["opacity"] = 0.75;
    chart.traces.push_back(std::move(trace));
  }
}

Chart pooled_chart(const std::vector<Pass>& passes, Kind kind, const Manner& manner) {
  const bool roc = kind == Kind::roc;
  const std::string title = roc ? "ROC curves of the folds" : "Precision and recall of the folds";
  Chart chart{manner.prefix + (roc ? "folds-roc" : "folds-pr"),
              title,
              "Thin: each fold's own model on its own test images. Thick: all of them together, by "
              "their ranks within the fold, because scores of different models have no common "
              "scale.",
              {roc ? "1 - specificity" : "recall (sensitivity)", {-0.01, 1.01}},
              {roc ? "sensitivity" : "precision", {-0.01, 1.01}},
              {},
              {},
              true};
  chart.traces = nlohmann::ordered_json::array();
  const int positive = passes.front().runs.front().positive;
  if (roc && passes.size() == 1 && passes.front().summary.ranked)
    add_band(chart, *passes.front().summary.ranked, positive, manner.bootstrap);
  for (const auto& pass : passes) add_folds(chart, pass, kind);
  const char* name = roc ? "auc" : "average_precision";
  HtmlTable table({"curve", roc ? "#AUC" : "#average precision"});
  for (const auto& pass : passes) {
    const auto figure = pass.summary.figures.find(name);
    if (figure != pass.summary.figures.end())
      for (const auto& [fold, value] : figure->second.values)
        table.add({fmt::format("fold {}", pass.folds[fold]), share_text(value)});
    if (!pass.summary.ranked) {
      chart.note += " No curve of all together: a fold lacks a class.";
      continue;
    }
    const auto pooled = curve_of(kind, *pass.summary.ranked, positive);
    if (!pooled) continue;
    const auto label = "ranks of all folds" + (pass.name.empty() ? "" : ", " + pass.name);
    auto trace = line(label, pooled->x, pooled->y, colour(0));
    trace["line"]["width"] = 3;
    chart.traces.push_back(std::move(trace));
    table.add({label, share_text(pooled_figure(pass, name))});
  }
  if (roc) chart.traces.push_back(reference("guessing", {0, 1}, {0, 1}));
  chart.tables.push_back(std::move(table));
  return chart;
}

/// Each image decided by the one model that has not seen it, at that fold's own threshold.
std::string decisions_html(const Pass& pass) {
  const auto& decided = pass.summary.decided;
  const auto html =
      confusion_html(pass.runs.front().classes, decided.targets, eval::decide(decided.scores, {}));
  return pass.name.empty() ? html : paragraph("Of " + pass.name + ":") + html;
}

}  // namespace

Section folds(const tracker::Reader& reader, const Study& study, const Manner& manner) {
  Section section{manner.prefix + "folds", "Folds", {}};
  const auto table = figures_table(reader, study);
  if (table.empty()) {
    section.body = paragraph("No fold has come to its end.");
    return section;
  }
  section.body =
      table.html() +
      paragraph(
          "Spread is the standard deviation over the folds. Pooled figures take all folds' "
          "decisions together; a pooled AUC is of ranks within the folds, whose models have "
          "no common scale.");
  const auto passes = passes_of(reader, study);
  if (passes.empty()) return section;
  if (passes.front().runs.front().classes.size() == 2)
    section.body += charts_html({pooled_chart(passes, Kind::roc, manner),
                                 pooled_chart(passes, Kind::precision_recall, manner)},
                                manner.drawn);
  const bool chosen = eval::is_chosen(passes.front().runs.front().evaluation.row.threshold);
  section.body += paragraph(std::string("Below, each image is decided by the one model that has "
                                        "not seen it") +
                            (chosen ? ", at a threshold that the other folds chose." : "."));
  for (const auto& pass : passes) section.body += decisions_html(pass);
  return section;
}

}  // namespace bcx::report
