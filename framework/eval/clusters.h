// Which samples are drawn, left out and counted as one: the patients.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "eval/scores.h"

namespace bcx::eval {

/// Fewer patients than this in a class: intervals say more about the method than about the model.
inline constexpr std::int64_t fewest_for_interval = 5;

/// Samples gathered into clusters, and clusters into strata: those whose samples have the same set
/// of classes. Immutable.
class Clusters {
 public:
  /// One cluster for each distinct group. std::invalid_argument for different lengths, and for
  /// labels outside 0 .. classes - 1.
  static Clusters by_group(std::span<const std::string> groups, std::span<const Label> targets,
                           int classes);
  /// Every sample a cluster of its own: what "by image" means.
  static Clusters each_alone(std::span<const Label> targets, int classes);

  /// The same clusters and strata for samples first .. first + size - 1 alone, counted from 0: a
  /// fold's share of all. Throws std::out_of_range.
  Clusters part(std::size_t first, std::size_t size) const;

  std::size_t count() const { return count_; }
  std::span<const std::uint32_t> of_sample() const { return of_sample_; }
  const std::vector<std::vector<std::uint32_t>>& strata() const { return strata_; }
  /// Clusters that hold samples of the class.
  std::int64_t with_class(int of_class) const;
  /// Clusters of the class that has fewest.
  std::int64_t scarcest() const;
  /// One cluster's worth of the scarcest class's recall: with 24 benign patients, one is 4.2 points
  /// of specificity. 1 / scarcest(); infinity when a class is absent.
  double quantum() const;
  bool allow_interval() const { return scarcest() >= fewest_for_interval; }

 private:
  Clusters(std::vector<std::uint32_t> of_sample, std::size_t count, std::span<const Label> targets,
           int classes);

  std::vector<std::uint32_t> of_sample_;
  std::size_t count_ = 0;
  std::vector<std::vector<std::uint32_t>> strata_;
  std::vector<std::int64_t> with_class_;
};

}  // namespace bcx::eval
