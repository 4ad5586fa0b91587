#include "sweep/tpe.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>

#include "base/philox.h"
#include "eval/distributions.h"

namespace bcx::sweep {
namespace {

using eval::normal_cdf;
using eval::normal_quantile;

/// Of one axis: a normal distribution truncated to [0, 1], or a share for each choice. Without
/// either: uniform.
struct Kernel {
  double mean = 0.5, width = 0;  // width 0: no normal distribution
  double low = 0, mass = 1;      // of the whole normal distribution: below 0, and within [0, 1]
  std::int64_t choice = -1;

  static Kernel normal(double mean, double width) {
    const double low = normal_cdf((0.0 - mean) / width), high = normal_cdf((1.0 - mean) / width);
    return {mean, width, low, std::max(high - low, 1e-12), -1};
  }
  double below(double x) const { return (normal_cdf((x - mean) / width) - low) / mass; }
};

/// Kernels of one axis: of each trial (uniform where the axis was inactive), and of the prior.
class AxisKernels {
 public:
  AxisKernels(const Axis& axis, const std::vector<const Outcome*>& trials) : axis_(axis) {
    std::vector<std::pair<double, std::size_t>> order;  // coordinate, trial
    kernels_.resize(trials.size() + 1);
    for (std::size_t i = 0; i < trials.size(); ++i) {
      const auto found = trials[i]->point.find(axis.key);
      if (found == trials[i]->point.end()) continue;
      if (axis.ordered())
        order.emplace_back(std::clamp(axis.coordinate(found->second), 0.0, 1.0), i);
      else
        kernels_[i].choice = index(found->second);
    }
    if (!axis.ordered()) return;
    std::stable_sort(order.begin(), order.end());
    const auto count = order.size();
    const double least = 1.0 / std::min(100.0, static_cast<double>(count) + 2.0);
    for (std::size_t k = 0; k < count; ++k) {
      const double own = order[k].first;
      const double before = own - (k > 0 ? order[k - 1].first : 0.0);
      const double after = (k + 1 < count ? order[k + 1].first : 1.0) - own;
      double width = std::max(before, after);
      if (count > 1 && k == 0) width = after;
      if (count > 1 && k + 1 == count) width = before;
      kernels_[order[k].second] = Kernel::normal(own, std::clamp(width, least, 1.0));
    }
    kernels_.back() = Kernel::normal(0.5, 1.0);
  }

  config::Value draw(std::size_t kernel, double u) const {
    const auto& one = kernels_[kernel];
    if (axis_.ordered())
      return axis_.at(
          one.width > 0
              ? std::clamp(one.mean + one.width * normal_quantile(one.low + u * one.mass), 0.0, 1.0)
              : u);
    std::int64_t choice = 0;
    while (choice + 1 < std::ssize(axis_.choices) && u >= share(one, choice))
      u -= share(one, choice++);
    return axis_.choices[static_cast<std::size_t>(choice)];
  }

  /// Of a value, or of all that a whole number stands for.
  double density(std::size_t kernel, const config::Value& value) const {
    const auto& one = kernels_[kernel];
    if (!axis_.ordered()) return share(one, index(value));
    if (one.width == 0) return 1;
    const double x = std::clamp(axis_.coordinate(value), 0.0, 1.0);
    if (axis_.scale == Axis::Scale::integer) {
      const double half = 0.5 / (axis_.high - axis_.low + 1);
      return (one.below(x + half) - one.below(x - half)) / (2 * half);
    }
    const double z = (x - one.mean) / one.width;
    return std::exp(-0.5 * z * z) / (std::sqrt(2 * std::numbers::pi) * one.width * one.mass);
  }

 private:
  /// Every choice has the prior's weight of one kernel in all of them.
  double share(const Kernel& kernel, std::int64_t choice) const {
    const auto choices = static_cast<double>(axis_.choices.size());
    if (kernel.choice < 0) return 1.0 / choices;
    const double prior = 1.0 / static_cast<double>(kernels_.size());
    return ((choice == kernel.choice ? 1.0 : 0.0) + prior) / (1.0 + choices * prior);
  }
  std::int64_t index(const config::Value& value) const {
    const auto found = std::find(axis_.choices.begin(), axis_.choices.end(), value);
    return found == axis_.choices.end() ? -1 : found - axis_.choices.begin();
  }

  const Axis& axis_;
  std::vector<Kernel> kernels_;
};

/// The density of points: a weighted sum of products over axes.
class Mixture {
 public:
  /// `trials`: in the order in which they ended.
  Mixture(const Space& space, const std::vector<const Outcome*>& trials) : space_(space) {
    for (const auto& axis : space.axes) axes_.emplace_back(axis, trials);
    for (std::size_t i = 0; i < trials.size(); ++i) weights_.push_back(weight(i, trials.size()));
    weights_.push_back(1.0);  // the prior
    double sum = 0;
    for (const double one : weights_) sum += one;
    for (double& one : weights_) one /= sum;
  }

  template <typename Next>
  Point draw(const Next& next) const {
    double u = next();
    std::size_t kernel = 0;
    while (kernel + 1 < weights_.size() && u >= weights_[kernel]) u -= weights_[kernel++];
    Point point;
    for (std::size_t a = 0; a < axes_.size(); ++a)
      if (space_.axes[a].active(point)) point[space_.axes[a].key] = axes_[a].draw(kernel, next());
    return point;
  }

  double log_density(const Point& point) const {
    double sum = 0;
    for (std::size_t kernel = 0; kernel < weights_.size(); ++kernel) {
      double product = weights_[kernel];
      for (std::size_t a = 0; a < axes_.size(); ++a)
        if (const auto found = point.find(space_.axes[a].key); found != point.end())
          product *= axes_[a].density(kernel, found->second);
      sum += product;
    }
    return std::log(sum);
  }

 private:
  static double weight(std::size_t i, std::size_t count) {
    constexpr std::size_t recent = 25;
    if (count <= recent || i + recent >= count) return 1.0;
    const double first = 1.0 / static_cast<double>(count);
    const auto old = count - recent;
    return old == 1 ? first
                    : first + (1.0 - first) * static_cast<double>(i) / static_cast<double>(old - 1);
  }

  const Space& space_;
  std::vector<AxisKernels> axes_;
  std::vector<double> weights_;
};

}  // namespace

Tpe::Tpe(Space space, std::uint64_t seed) : space_(std::move(space)), seed_(seed) {}

std::optional<Point> Tpe::propose(std::int64_t number, const std::vector<Outcome>& finished) const {
  if (std::ssize(finished) < startup)
    return make_sampler("random", space_, seed_)->propose(number, finished);
  std::vector<std::size_t> order(finished.size());
  std::iota(order.begin(), order.end(), 0);
  const auto cost = [&](std::size_t i) {
    return std::isfinite(finished[i].value) ? finished[i].value
                                            : std::numeric_limits<double>::infinity();
  };
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return cost(a) < cost(b); });
  const auto best = std::min<std::size_t>(25, (order.size() + 9) / 10);
  std::vector<bool> is_good(finished.size(), false);
  for (std::size_t i = 0; i < best; ++i) is_good[order[i]] = true;
  std::vector<const Outcome*> good_trials, other_trials;
  for (std::size_t i = 0; i < finished.size(); ++i)
    (is_good[i] ? good_trials : other_trials).push_back(&finished[i]);

  const Mixture good(space_, good_trials), rest(space_, other_trials);
  const Stream stream(seed_, "sweep.tpe", 0, static_cast<std::uint64_t>(number));
  std::uint64_t drawn = 0;
  const auto next = [&] { return stream.uniform(drawn++); };
  Point chosen;
  double largest = -std::numeric_limits<double>::infinity();
  for (std::int64_t i = 0; i < candidates; ++i) {
    auto point = good.draw(next);
    const double ratio = good.log_density(point) - rest.log_density(point);
    if (i == 0 || ratio > largest) largest = ratio, chosen = std::move(point);
  }
  return chosen;
}

}  // namespace bcx::sweep
