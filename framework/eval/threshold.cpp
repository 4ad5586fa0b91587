#include "eval/threshold.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

#include "base/error.h"
#include "base/text.h"
#include "eval/curves.h"

namespace bcx::eval {
namespace {

constexpr std::string_view sensitivity_rule = "sensitivity>=";
constexpr std::string_view specificity_rule = "specificity>=";
constexpr std::string_view cost_rule = "cost=";

[[noreturn]] void refuse(std::string_view rule) {
  throw Error(ExitCode::usage,
              {"unknown threshold rule \"" + printable(rule) + "\"", "evaluate.threshold",
               "a number within [0, 1], youden, sensitivity>=0.95, specificity>=0.95, or cost=5"});
}

/// The number that `text` is as a whole, NaN if it is none.
double number(std::string_view text) {
  double value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  return failed == std::errc{} && end == text.data() + text.size() ? value : std::nan("");
}

double by_youden(const RocCurve& roc) {
  std::size_t best = 1;
  for (std::size_t i = 1; i < roc.threshold.size(); ++i)
    if (roc.true_positive_rate[i] - roc.false_positive_rate[i] >
        roc.true_positive_rate[best] - roc.false_positive_rate[best])
      best = i;
  return roc.threshold[best];
}

double by_sensitivity(const RocCurve& roc, double wanted) {
  for (std::size_t i = 1; i < roc.threshold.size(); ++i)
    if (roc.true_positive_rate[i] >= wanted) return roc.threshold[i];
  return roc.threshold.back();
}

double by_specificity(const RocCurve& roc, double wanted) {
  for (std::size_t i = roc.threshold.size() - 1; i > 0; --i)
    if (1.0 - roc.false_positive_rate[i] >= wanted) return roc.threshold[i];
  return roc.threshold.front();
}

double by_cost(const RocCurve& roc, double of_miss, const std::vector<bool>& positives) {
  const auto p = static_cast<double>(std::count(positives.begin(), positives.end(), true));
  const double n = static_cast<double>(positives.size()) - p;
  const auto cost = [&](std::size_t i) {
    return of_miss * p * (1.0 - roc.true_positive_rate[i]) + n * roc.false_positive_rate[i];
  };
  std::size_t best = 0;
  for (std::size_t i = 1; i < roc.threshold.size(); ++i)
    if (cost(i) < cost(best)) best = i;
  return roc.threshold[best];
}

/// What is written behind `name`, when the rule begins with it; NaN if that is no number.
std::optional<double> argument(std::string_view rule, std::string_view name) {
  if (!rule.starts_with(name)) return std::nullopt;
  return number(rule.substr(name.size()));
}

/// Whether the argument is given and within (0, most].
bool is_within(const std::optional<double>& given, double most) {
  return given && *given > 0 && *given <= most;
}

}  // namespace

bool is_chosen(std::string_view rule) {
  return std::isnan(number(rule));
}

double choose_threshold(std::string_view rule, const std::vector<bool>& positives,
                        const Scores& scores) {
  if (const double fixed = number(rule); !std::isnan(fixed)) {
    if (fixed < 0 || fixed > 1) refuse(rule);
    return fixed;
  }
  const auto sensitivity = argument(rule, sensitivity_rule);
  const auto specificity = argument(rule, specificity_rule);
  const auto cost = argument(rule, cost_rule);
  if (rule != "youden" && !is_within(sensitivity, 1) && !is_within(specificity, 1) &&
      !is_within(cost, 1e9))
    refuse(rule);
  const auto roc = roc_curve(positives, scores);
  if (!roc)
    throw Error(ExitCode::data,
                {"no threshold can be chosen: the validation part has one class only",
                 "evaluate.threshold", "use a number, or another split"});
  if (sensitivity) return by_sensitivity(*roc, *sensitivity);
  if (specificity) return by_specificity(*roc, *specificity);
  return cost ? by_cost(*roc, *cost, positives) : by_youden(*roc);
}

}  // namespace bcx::eval
