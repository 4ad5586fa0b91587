#include "eval/threshold.h"

#include <charconv>
#include <cmath>

#include "base/error.h"
#include "base/text.h"
#include "eval/curves.h"

namespace bcx::eval {
namespace {

constexpr std::string_view sensitivity_rule = "sensitivity>=";

[[noreturn]] void refuse(std::string_view rule) {
  throw Error(ExitCode::usage,
              {"unknown threshold rule \"" + printable(rule) + "\"", "evaluate.threshold",
               "a number within [0, 1], youden, or sensitivity>=0.95"});
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
  double sensitivity = std::nan("");
  if (rule.starts_with(sensitivity_rule))
    sensitivity = number(rule.substr(sensitivity_rule.size()));
  if (rule != "youden" && !(sensitivity > 0 && sensitivity <= 1)) refuse(rule);
  const auto roc = roc_curve(positives, scores);
  if (!roc)
    throw Error(ExitCode::data,
                {"no threshold can be chosen: the validation part has one class only",
                 "evaluate.threshold", "use a number, or another split"});
  return rule == "youden" ? by_youden(*roc) : by_sensitivity(*roc, sensitivity);
}

}  // namespace bcx::eval
