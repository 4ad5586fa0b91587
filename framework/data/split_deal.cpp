#include "data/split_deal.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

#include "base/philox.h"

namespace bcx::data {
namespace {

constexpr double near_enough = 0.05;
constexpr std::int64_t most_tries = 32, most_work = 200'000;  // groups times tries
constexpr double missing_penalty = 10.0;  // above any squared error that a deal can have

class Deal {
 public:
  Deal(const std::vector<GroupCounts>& groups, int classes, const std::vector<double>& shares)
      : groups_(groups),
        shares_(shares),
        classes_(static_cast<std::size_t>(classes)),
        images_(shares.size() * classes_, 0),
        members_(shares.size() * classes_, 0),
        total_(classes_, 0),
        group_total_(classes_, 0),
        bins(groups.size(), -1) {
    for (const auto& group : groups) {
      for (const auto& [k, count] : group) {
        total_[index(k)] += count;
        ++group_total_[index(k)];
      }
    }
  }

  void run(const std::vector<std::int64_t>& order) {
    for (const auto g : order) {
      const auto group = static_cast<std::size_t>(g);
      std::size_t best = 0;
      double least = std::numeric_limits<double>::infinity();
      for (std::size_t b = 0; b < shares_.size(); ++b) {
        if (const double more = growth(group, b); more < least) {
          least = more;
          best = b;
        }
      }
      put(group, best);
    }
    for (std::size_t b = 0; b < shares_.size(); ++b) {
      for (std::size_t k = 0; k < classes_; ++k) {
        if (is_missing(b, k)) fetch(b, k);
      }
    }
  }

  // Squared error of the shares, and how far the worst of them is off.
  std::pair<double, double> score() const {
    double sum = 0, worst = 0;
    for (std::size_t b = 0; b < shares_.size(); ++b) {
      for (std::size_t k = 0; k < classes_; ++k) {
        if (total_[k] == 0) continue;
        const double off = share(b, k) - shares_[b];
        sum += off * off + (is_missing(b, k) ? missing_penalty : 0.0);
        worst = std::max(worst, is_missing(b, k) ? missing_penalty : std::abs(off));
      }
    }
    return {sum, worst};
  }

 private:
  static std::size_t index(int k) { return static_cast<std::size_t>(k); }
  double share(std::size_t b, std::size_t k) const {
    return static_cast<double>(images_[b * classes_ + k]) / static_cast<double>(total_[k]);
  }
  // Bin b holds none of class k although there are groups enough for every bin.
  bool is_missing(std::size_t b, std::size_t k) const {
    return members_[b * classes_ + k] == 0 &&
           group_total_[k] >= static_cast<std::int64_t>(shares_.size());
  }

  double growth(std::size_t group, std::size_t b) const {
    double sum = 0;
    for (const auto& [k, count] : groups_[group]) {
      const double part = static_cast<double>(count) / static_cast<double>(total_[index(k)]);
      sum += part * (part + 2 * (share(b, index(k)) - shares_[b]));
    }
    return sum;
  }

  void put(std::size_t group, std::size_t b) {
    add(group, b, 1);
    bins[group] = static_cast<int>(b);
  }

  void add(std::size_t group, std::size_t b, std::int64_t sign) {
    for (const auto& [k, count] : groups_[group]) {
      images_[b * classes_ + index(k)] += sign * count;
      members_[b * classes_ + index(k)] += sign;
    }
  }

  // Whether the group's bin still has each of its classes without it.
  bool can_leave(std::size_t group) const {
    const auto from = static_cast<std::size_t>(bins[group]);
    return std::all_of(groups_[group].begin(), groups_[group].end(), [&](const auto& entry) {
      return members_[from * classes_ + index(entry.first)] > 1;
    });
  }

  // The groups that hold class k, ascending. Gathered when first asked: most deals never ask.
  const std::vector<std::size_t>& groups_with(std::size_t k) {
    if (with_class_.empty()) {
      with_class_.resize(classes_);
      for (std::size_t g = 0; g < groups_.size(); ++g)
        for (const auto& [of_class, count] : groups_[g]) with_class_[index(of_class)].push_back(g);
    }
    return with_class_[k];
  }

  // Moves the group of class k that costs least into bin b.
  void fetch(std::size_t b, std::size_t k) {
    std::size_t best = groups_.size();
    double least = std::numeric_limits<double>::infinity();
    for (const std::size_t g : groups_with(k)) {
      if (!can_leave(g)) continue;
      const auto from = static_cast<std::size_t>(bins[g]);
      add(g, from, -1);
      const double cost = growth(g, b) - growth(g, from);
      add(g, from, 1);
      if (cost < least) {
        least = cost;
        best = g;
      }
    }
    if (best == groups_.size()) return;
    add(best, static_cast<std::size_t>(bins[best]), -1);
    put(best, b);
  }

  const std::vector<GroupCounts>& groups_;
  const std::vector<double>& shares_;
  std::size_t classes_;
  std::vector<std::int64_t> images_, members_;  // [bin][class]: images, groups
  std::vector<std::int64_t> total_, group_total_;
  std::vector<std::vector<std::size_t>> with_class_;

 public:
  std::vector<int> bins;
};

}  // namespace

std::vector<int> deal(const std::vector<GroupCounts>& groups, int classes,
                      const std::vector<double>& shares, const DealKey& key) {
  const auto count = static_cast<std::int64_t>(groups.size());
  const auto tries =
      std::clamp<std::int64_t>(most_work / std::max<std::int64_t>(count, 1), 1, most_tries);
  std::vector<int> best;
  double least = std::numeric_limits<double>::infinity();
  for (std::int64_t i = 0; i < tries; ++i) {
    const Stream stream(key.seed, key.purpose, key.epoch, static_cast<std::uint64_t>(i));
    Deal attempt(groups, classes, shares);
    attempt.run(permutation(stream, count));
    const auto [sum, worst] = attempt.score();
    if (sum < least) {
      least = sum;
      best = std::move(attempt.bins);
    }
    if (worst <= near_enough) break;
  }
  return best;
}

}  // namespace bcx::data
