#include "eval/temperature.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "base/error.h"

namespace bcx::eval {
namespace {

/// Mean cross-entropy at inverse temperature b, and its two derivatives: the mean of
/// E[z] - z[target] and the variance of z, under softmax(b z).
struct Loss {
  double value = 0.0, slope = 0.0, curvature = 0.0;
};

Loss loss_at(const Predictions& predictions, double b) {
  const auto classes = static_cast<std::size_t>(predictions.classes);
  Loss loss;
  for (std::size_t i = 0; i < predictions.size(); ++i) {
    const auto row = std::span(predictions.logits).subspan(i * classes, classes);
    const double largest = *std::max_element(row.begin(), row.end());
    double sum = 0.0, first = 0.0, second = 0.0;
    for (const double logit : row) {
      const double z = logit - largest, weight = std::exp(b * z);
      sum += weight;
      first += weight * z;
      second += weight * z * z;
    }
    const double target = row[static_cast<std::size_t>(predictions.targets[i])] - largest;
    const double mean = first / sum;
    loss.value += std::log(sum) - b * target;
    loss.slope += mean - target;
    loss.curvature += second / sum - mean * mean;
  }
  const auto n = static_cast<double>(predictions.size());
  return {loss.value / n, loss.slope / n, loss.curvature / n};
}

/// Where the slope is 0 between `low`, where it is negative, and `high`, where it is positive.
double root_of_slope(const Predictions& predictions, double low, double high) {
  double b = std::clamp(1.0, low, high);
  for (int step = 0; step < 200; ++step) {
    const Loss loss = loss_at(predictions, b);
    (loss.slope < 0.0 ? low : high) = b;
    double next = b - loss.slope / loss.curvature;
    if (!(next > low && next < high)) next = (low + high) / 2.0;
    if (std::abs(next - b) <= 1e-15 * b) return next;
    b = next;
  }
  return b;
}

}  // namespace

Temperature fit_temperature(const Predictions& predictions) {
  require_consistent(predictions);
  const auto finite = [](float logit) { return std::isfinite(logit); };
  if (predictions.size() == 0 ||
      !std::all_of(predictions.logits.begin(), predictions.logits.end(), finite))
    throw Error(ExitCode::data,
                {"no temperature can be fitted: " +
                     std::string(predictions.size() == 0 ? "there are no validation predictions"
                                                         : "a logit is not finite"),
                 "", ""});
  const double low = 1.0 / temperature_max, high = 1.0 / temperature_min;
  Temperature result;
  result.loss_before = loss_at(predictions, 1.0).value;
  double b = 0.0;
  if (loss_at(predictions, low).slope >= 0.0)
    b = low;
  else if (loss_at(predictions, high).slope <= 0.0)
    b = high;
  result.at_limit = b != 0.0;
  if (!result.at_limit) b = root_of_slope(predictions, low, high);
  result.value = 1.0 / b;
  result.loss_after = loss_at(predictions, b).value;
  return result;
}

Probabilities tempered(std::span<const float> logits, int classes, double temperature) {
  if (!(temperature > 0.0)) throw std::invalid_argument("a temperature that is not above 0");
  std::vector<double> scaled;
  scaled.reserve(logits.size());
  for (const float logit : logits) scaled.push_back(logit / temperature);
  return Probabilities::softmax(std::span<const double>(scaled), classes);
}

}  // namespace bcx::eval
