#include "sweep/tpe.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "base/philox.h"

namespace bcx::sweep {
namespace {

double normal_cdf(double z) {
  return 0.5 * std::erfc(-z / std::numbers::sqrt2);
}

/// The inverse of normal_cdf by bisection: 60 halvings of [-40, 40] leave nothing to be wished for.
double normal_quantile(double p) {
  double low = -40, high = 40;
  for (int i = 0; i < 60; ++i) {
    const double middle = (low + high) / 2;
    (normal_cdf(middle) < p ? low : high) = middle;
  }
  return (low + high) / 2;
}

/// A mixture of normals truncated to [0, 1], equally weighted.
class Mixture {
 public:
  explicit Mixture(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    const auto n = static_cast<double>(values.size());
    const double least = 1.0 / std::min(100.0, n + 1.0);
    for (std::size_t i = 0; i < values.size(); ++i) {
      const double before = values[i] - (i > 0 ? values[i - 1] : 0.0);
      const double after = (i + 1 < values.size() ? values[i + 1] : 1.0) - values[i];
      add(values[i], std::clamp(std::max(before, after), least, 1.0));
    }
    add(0.5, 1.0);  // the prior
  }

  double draw(double which, double u) const {
    const auto& one =
        kernels_[std::min(kernels_.size() - 1,
                          static_cast<std::size_t>(which * static_cast<double>(kernels_.size())))];
    const double z = normal_quantile(one.low + u * one.mass);
    return std::clamp(one.mean + one.width * z, 0.0, 1.0);
  }

  double log_density(double x) const {
    double sum = 0;
    for (const auto& one : kernels_) {
      const double z = (x - one.mean) / one.width;
      sum += std::exp(-0.5 * z * z) / (one.width * one.mass);
    }
    return std::log(sum / static_cast<double>(kernels_.size()));
  }

 private:
  struct Kernel {
    double mean, width, low, mass;  // low: the normal distribution below 0; mass: within [0, 1]
  };
  void add(double mean, double width) {
    const double low = normal_cdf((0.0 - mean) / width), high = normal_cdf((1.0 - mean) / width);
    kernels_.push_back({mean, width, low, std::max(high - low, 1e-12)});
  }
  std::vector<Kernel> kernels_;
};

/// Shares of the choices, each counted once more than it occurs.
std::vector<double> shares(const Axis& axis, const std::vector<config::Value>& values) {
  std::vector<double> share(axis.choices.size(), 1.0);
  for (const auto& value : values)
    for (std::size_t c = 0; c < axis.choices.size(); ++c)
      if (axis.choices[c] == value) share[c] += 1.0;
  double sum = 0;
  for (const double one : share) sum += one;
  for (double& one : share) one /= sum;
  return share;
}

struct Parts {
  std::vector<config::Value> good, rest;
};

class Proposal {
 public:
  Proposal(const Stream& stream) : stream_(stream) {}

  config::Value choice(const Axis& axis, const Parts& parts) {
    const auto good = shares(axis, parts.good), rest = shares(axis, parts.rest);
    std::size_t best = 0;
    double best_ratio = -std::numeric_limits<double>::infinity();
    for (std::int64_t i = 0; i < Tpe::candidates; ++i) {
      double u = next();
      std::size_t c = 0;
      while (c + 1 < good.size() && u >= good[c]) u -= good[c++];
      const double ratio = std::log(good[c] / rest[c]);
      if (ratio > best_ratio) best_ratio = ratio, best = c;
    }
    return axis.choices[best];
  }

  config::Value number(const Axis& axis, const Parts& parts) {
    const Mixture good(coordinates(axis, parts.good)), rest(coordinates(axis, parts.rest));
    double best = 0.5, best_ratio = -std::numeric_limits<double>::infinity();
    for (std::int64_t i = 0; i < Tpe::candidates; ++i) {
      const double which = next();
      const double x = good.draw(which, next());
      const double ratio = good.log_density(x) - rest.log_density(x);
      if (ratio > best_ratio) best_ratio = ratio, best = x;
    }
    return axis.at(best);
  }

 private:
  static std::vector<double> coordinates(const Axis& axis,
                                         const std::vector<config::Value>& values) {
    std::vector<double> list;
    for (const auto& value : values) list.push_back(axis.coordinate(value));
    return list;
  }
  double next() { return stream_.uniform(drawn_++); }

  const Stream& stream_;
  std::uint64_t drawn_ = 0;
};

}  // namespace

Tpe::Tpe(Space space, std::uint64_t seed) : space_(std::move(space)), seed_(seed) {}

std::optional<Point> Tpe::propose(std::int64_t number, const std::vector<Outcome>& finished) const {
  if (std::ssize(finished) < startup)
    return make_sampler("random", space_, seed_)->propose(number, finished);
  std::vector<const Outcome*> order;
  for (const auto& one : finished) order.push_back(&one);
  const auto worst = std::numeric_limits<double>::infinity();
  const auto value = [&](const Outcome* one) {
    return std::isfinite(one->value) ? one->value : worst;
  };
  std::stable_sort(order.begin(), order.end(),
                   [&](const auto* a, const auto* b) { return value(a) < value(b); });
  const auto good = std::min<std::size_t>(25, (order.size() + 9) / 10);

  const Stream stream(seed_, "sweep.tpe", 0, static_cast<std::uint64_t>(number));
  Proposal proposal(stream);
  Point point;
  for (const auto& axis : space_.axes) {
    if (!axis.active(point)) continue;
    Parts parts;
    for (std::size_t i = 0; i < order.size(); ++i)
      if (const auto found = order[i]->point.find(axis.key); found != order[i]->point.end())
        (i < good ? parts.good : parts.rest).push_back(found->second);
    point[axis.key] = axis.ordered() ? proposal.number(axis, parts) : proposal.choice(axis, parts);
  }
  return point;
}

}  // namespace bcx::sweep
