// Two deciders on the same samples.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "eval/metrics.h"
#include "eval/scores.h"

namespace bcx::eval {

/// McNemar's test of equal accuracy. It takes samples for independent: with several images of a
/// patient its p-values are too small, and nothing should be decided by them.
struct McNemar {
  std::int64_t only_first = 0, only_second = 0;  ///< samples that only one decided rightly
  double exact = 1.0;  ///< two-sided binomial p of the discordant samples; 1 without any
  double mid_p = 1.0;  ///< exact less the probability of what was seen (Fagerland et al. 2013)
};
McNemar mcnemar(std::span<const Label> targets, std::span<const Label> first,
                std::span<const Label> second);

/// DeLong, DeLong and Clarke-Pearson's (1988) test of equal AUC on the same samples, which it takes
/// for independent.
struct DeLong {
  double first = 0.0, second = 0.0;  ///< AUCs
  double standard_error = 0.0;       ///< of second - first
  double z = 0.0, p = 1.0;           ///< z NaN and p 1 when no score ranks differently
};
/// Undefined without two samples of each kind, or when a score is not a number.
std::optional<DeLong> delong(const std::vector<bool>& positives, const Scores& first,
                             const Scores& second);

/// Share of samples on which both decide the same; undefined without samples.
Metric agreement(std::span<const Label> first, std::span<const Label> second);
/// Cohen's kappa: agreement beyond what the two's margins give by chance. Undefined without samples
/// and when both always say one and the same class.
Metric kappa(std::span<const Label> first, std::span<const Label> second, int classes);

}  // namespace bcx::eval
