#include "eval/bootstrap.h"

#include <algorithm>
#include <cmath>
#include <future>
#include <numeric>
#include <stdexcept>
#include <thread>

#include "base/philox.h"
#include "base/processors.h"
#include "eval/distributions.h"

namespace bcx::eval {
namespace {

// What is left out in turn for the acceleration: clusters, or where there are more, groups of them,
// shared out among the strata, of which each has so many at least.
constexpr std::size_t most_left_out = 2'000, fewest_left_out = 20;

/// The words of one resample, four from each Philox block.
class Draws {
 public:
  Draws(std::array<std::uint32_t, 2> key, std::uint64_t resample)
      : key_(key),
        low_(static_cast<std::uint32_t>(resample)),
        high_(static_cast<std::uint32_t>(resample >> 32)) {}

  /// Uniform in 0 .. bound - 1, unbiased to 2^-32 * bound.
  std::uint32_t below(std::uint64_t bound) {
    if (at_ % 4 == 0) block_ = philox4x32({at_ / 4, 0, low_, high_}, key_);
    return static_cast<std::uint32_t>((block_[at_++ % 4] * bound) >> 32);
  }

 private:
  std::array<std::uint32_t, 2> key_;
  std::uint32_t low_, high_, at_ = 0;
  PhiloxBlock block_{};
};

void draw(Draws draws, const Clusters& clusters, std::vector<std::uint32_t>& weights) {
  std::fill(weights.begin(), weights.end(), 0u);
  for (const auto& stratum : clusters.strata())
    for (std::size_t i = 0; i < stratum.size(); ++i)
      ++weights[stratum[draws.below(stratum.size())]];
}

/// [resamples, figures], row-major.
std::vector<double> replicate(const Figures& figures, const Clusters& clusters,
                              const BootstrapOptions& options) {
  const auto width = figures.names().size();
  const auto resamples = static_cast<std::size_t>(options.resamples);
  std::vector<double> values(resamples * width);
  const auto key = Stream(options.seed, "bootstrap").key();
  const auto work = [&](std::size_t begin, std::size_t end) {
    std::vector<std::uint32_t> weights(clusters.count());
    for (std::size_t r = begin; r < end; ++r) {
      draw(Draws(key, r), clusters, weights);
      figures.compute(weights, std::span(values).subspan(r * width, width));
    }
  };
  const auto machine = static_cast<std::size_t>(std::min(usable_cores(), 8));
  const auto threads = options.threads > 0 ? static_cast<std::size_t>(options.threads) : machine;
  if (threads == 1) {
    work(0, resamples);
    return values;
  }
  std::vector<std::future<void>> running;
  for (std::size_t t = 0; t < threads; ++t)
    running.push_back(std::async(std::launch::async, work, resamples * t / threads,
                                 resamples * (t + 1) / threads));
  for (auto& one : running) one.get();
  return values;
}

/// How many groups the clusters of a stratum are left out in.
std::size_t groups_left_out(std::size_t stratum, std::size_t clusters) {
  if (clusters <= most_left_out) return stratum;
  return std::min(stratum, std::max(fewest_left_out, most_left_out * stratum / clusters));
}

/// Acceleration of each figure; NaN where no cluster moves it. Clusters of a stratum are left out
/// one at a time, or, where there are very many, in groups: the sums of squared and of cubed
/// influences stay the same in expectation, and the cost linear (Efron and Tibshirani 1993, 14.8).
std::vector<double> accelerations(const Figures& figures, const Clusters& clusters) {
  const auto width = figures.names().size();
  std::vector<double> cubes(width), squares(width), values(width);
  std::vector<std::uint32_t> weights(clusters.count(), 1);
  for (const auto& stratum : clusters.strata()) {
    if (stratum.size() < 2) continue;  // never left out: nothing to learn from it
    const auto groups = groups_left_out(stratum.size(), clusters.count());
    std::vector<double> without, mean(width);
    for (std::size_t g = 0; g < groups; ++g) {
      for (std::size_t i = g; i < stratum.size(); i += groups) weights[stratum[i]] = 0;
      figures.compute(weights, values);
      for (std::size_t i = g; i < stratum.size(); i += groups) weights[stratum[i]] = 1;
      without.insert(without.end(), values.begin(), values.end());
      for (std::size_t f = 0; f < width; ++f) mean[f] += values[f] / static_cast<double>(groups);
    }
    const auto n = static_cast<double>(stratum.size());
    for (std::size_t i = 0; i < without.size(); ++i) {
      // Influence / n, so that strata of different sizes add up.
      const auto left_out = static_cast<double>((stratum.size() - i / width - 1) / groups + 1);
      const double part = (n - left_out) * (mean[i % width] - without[i]) / n;
      cubes[i % width] += part * part * part;
      squares[i % width] += part * part;
    }
  }
  for (std::size_t f = 0; f < width; ++f)
    values[f] = squares[f] > 0.0 ? cubes[f] / (6.0 * std::pow(squares[f], 1.5)) : std::nan("");
  return values;
}

std::optional<Interval> bca(std::span<const double> sorted, double estimate, double acceleration,
                            double tail) {
  if (std::isnan(acceleration)) return std::nullopt;
  const auto [first, last] = std::equal_range(sorted.begin(), sorted.end(), estimate);
  const auto below = static_cast<double>((first - sorted.begin()) + (last - sorted.begin()));
  const double bias = normal_quantile(below / (2.0 * static_cast<double>(sorted.size())));
  if (std::isinf(bias)) return std::nullopt;
  const auto adjusted = [&](double z) {
    return normal_cdf(bias + (bias + z) / (1.0 - acceleration * (bias + z)));
  };
  const double z = normal_quantile(tail);
  return Interval{quantile_of_sorted(sorted, adjusted(z)),
                  quantile_of_sorted(sorted, adjusted(-z))};
}

void sum_up(BootstrapFigure& figure, std::vector<double> values, double level) {
  const auto all = values.size();
  std::erase_if(values, [](double value) { return std::isnan(value); });
  figure.undefined = static_cast<std::int64_t>(all - values.size());
  if (std::isnan(figure.estimate) || figure.undefined * 100 > static_cast<std::int64_t>(all)) {
    figure.standard_error = std::nan("");
    return;
  }
  std::sort(values.begin(), values.end());
  const auto n = static_cast<double>(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  double squares = 0.0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  figure.standard_error = std::sqrt(squares / (n - 1.0));
  const double tail = (1.0 - level) / 2.0;
  figure.percentile = {quantile_of_sorted(values, tail), quantile_of_sorted(values, 1.0 - tail)};
  figure.bca = bca(values, figure.estimate, figure.acceleration, tail);
}

}  // namespace

double quantile_of_sorted(std::span<const double> sorted, double q) {
  const double at = std::clamp(q, 0.0, 1.0) * static_cast<double>(sorted.size() - 1);
  const auto lower = static_cast<std::size_t>(at);
  const auto upper = std::min(lower + 1, sorted.size() - 1);
  return sorted[lower] + (at - static_cast<double>(lower)) * (sorted[upper] - sorted[lower]);
}

std::vector<BootstrapFigure> bootstrap(const Figures& figures, const Clusters& clusters,
                                       const BootstrapOptions& options) {
  if (options.resamples < 100) throw std::invalid_argument("fewer than 100 resamples");
  if (!(options.level > 0.0 && options.level < 1.0))
    throw std::invalid_argument("a level outside (0, 1)");
  const auto width = figures.names().size();
  const auto estimates = figures.estimate(clusters.count());
  const auto replicates = replicate(figures, clusters, options);
  const auto acceleration = accelerations(figures, clusters);
  std::vector<BootstrapFigure> result(width);
  for (std::size_t f = 0; f < width; ++f) {
    result[f].name = figures.names()[f];
    result[f].estimate = estimates[f];
    result[f].acceleration = acceleration[f];
    std::vector<double> values;
    for (std::size_t at = f; at < replicates.size(); at += width) values.push_back(replicates[at]);
    sum_up(result[f], std::move(values), options.level);
  }
  return result;
}

}  // namespace bcx::eval
