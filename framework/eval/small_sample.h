// Intervals for few patients: Student's t on variances between patients.
//
// Where resampling 5 patients can only repeat what 5 patients showed, these pay for the uncertainty
// of the variance itself, with degrees of freedom. docs/evaluation.md has the measured coverage.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "eval/bootstrap.h"
#include "eval/clusters.h"
#include "eval/scores.h"

namespace bcx::eval {

/// An estimate, the variance of its sampling, and how well that variance is known
/// (Satterthwaite's degrees of freedom over the parts that it is a sum of).
struct Spread {
  double estimate = 0.0, variance = 0.0, degrees_of_freedom = 0.0;
};

/// AUC with Obuchowski's variance for clustered data (Biometrics 53, 567-578, 1997): scores of one
/// patient may depend on each other in any way, and a patient may hold images of both kinds. With
/// every sample alone it is DeLong, DeLong and Clarke-Pearson's (1988). Undefined without two
/// clusters of each kind, or when a score is not a number.
std::optional<Spread> clustered_auc(const std::vector<bool>& positives, const Scores& scores,
                                    const Clusters& clusters);
/// AUC of `second` less that of `first`, on the same samples: the same variance, of the
/// differences.
std::optional<Spread> clustered_auc_difference(const std::vector<bool>& positives,
                                               const Scores& first, const Scores& second,
                                               const Clusters& clusters);

/// A share sum(part) / sum(whole), such as accuracy (right decisions, images) or sensitivity (right
/// decisions, images, of the positives), by linearisation with the variance between clusters within
/// strata. `part[i]`, `whole[i]` belong to sample i; samples with whole 0 do not count. Negative
/// parts are allowed: a difference of two shares is one with part in -1, 0, 1. Undefined without
/// two clusters that count in each stratum that has any.
std::optional<Spread> clustered_share(std::span<const double> part, std::span<const double> whole,
                                      const Clusters& clusters);

/// estimate +- t * standard error. None when the variance is 0.
std::optional<Interval> t_interval(const Spread& spread, double level = 0.95);
/// The same on the scale log(p / (1 - p)), taken back: stays within (0, 1). For shares and areas.
/// None at 0 and 1, where the scale has no place, and when the variance is 0.
std::optional<Interval> logit_t_interval(const Spread& spread, double level = 0.95);

}  // namespace bcx::eval
