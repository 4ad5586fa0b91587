#include "sweep/sampler.h"

#include <array>
#include <boost/random/sobol.hpp>
#include <cmath>

#include "base/error.h"
#include "base/philox.h"
#include "base/text.h"
#include "sweep/tpe.h"

namespace bcx::sweep {
namespace {

class Grid : public Sampler {
 public:
  explicit Grid(Space space) : space_(std::move(space)) {
    for (const auto& axis : space_.axes)
      if ((axis.scale == Axis::Scale::uniform || axis.scale == Axis::Scale::log_uniform) &&
          axis.points < 1)
        throw Error(ExitCode::usage, {"a grid needs to know how many values to try", axis.key,
                                      "add `points = 4`, or use method = \"random\""});
    Point point;
    expand(0, point);
  }
  std::optional<Point> propose(std::int64_t number, const std::vector<Outcome>&) const override {
    if (number >= std::ssize(points_)) return std::nullopt;
    return points_[static_cast<std::size_t>(number)];
  }

 private:
  void expand(std::size_t i, Point& point) {
    if (i == space_.axes.size()) {
      points_.push_back(point);
      return;
    }
    const auto& axis = space_.axes[i];
    if (!axis.active(point)) return expand(i + 1, point);
    for (const auto& value : axis.grid()) {
      point[axis.key] = value;
      expand(i + 1, point);
    }
    point.erase(axis.key);
  }

  Space space_;
  std::vector<Point> points_;
};

class Random : public Sampler {
 public:
  Random(Space space, std::uint64_t seed) : space_(std::move(space)), seed_(seed) {}
  std::optional<Point> propose(std::int64_t number, const std::vector<Outcome>&) const override {
    const Stream stream(seed_, "sweep.random", 0, static_cast<std::uint64_t>(number));
    std::vector<double> u(space_.axes.size());
    for (std::size_t i = 0; i < u.size(); ++i) u[i] = stream.uniform(i);
    return space_.at(u);
  }

 private:
  Space space_;
  std::uint64_t seed_;
};

class Sobol : public Sampler {
 public:
  Sobol(Space space, std::uint64_t seed) : space_(std::move(space)) {
    const Stream stream(seed, "sweep.sobol");
    for (std::size_t i = 0; i < space_.axes.size(); ++i) shift_.push_back(stream.uniform(i));
  }
  std::optional<Point> propose(std::int64_t number, const std::vector<Outcome>&) const override {
    const auto dimensions = space_.axes.size();
    boost::random::sobol sequence(dimensions);
    // Boost leaves out the origin, without which 2^k points are no net.
    if (number > 1) sequence.discard(static_cast<std::uintmax_t>(number - 1) * dimensions);
    const double range = static_cast<double>(boost::random::sobol::max()) + 1.0;
    std::vector<double> u(dimensions);
    for (std::size_t i = 0; i < dimensions; ++i) {
      const double origin = number == 0 ? 0.0 : static_cast<double>(sequence()) / range;
      const double x = origin + shift_[i];
      u[i] = x - std::floor(x);
    }
    return space_.at(u);
  }

 private:
  Space space_;
  std::vector<double> shift_;
};

}  // namespace

std::unique_ptr<Sampler> make_sampler(std::string_view method, Space space, std::uint64_t seed) {
  if (method == "grid") return std::make_unique<Grid>(std::move(space));
  if (method == "random") return std::make_unique<Random>(std::move(space), seed);
  if (method == "sobol") return std::make_unique<Sobol>(std::move(space), seed);
  if (method == "tpe") return std::make_unique<Tpe>(std::move(space), seed);
  throw Error(ExitCode::usage, {"unknown method \"" + printable(method) + "\"", "sweep.method",
                                "grid, random, sobol or tpe"});
}

}  // namespace bcx::sweep
