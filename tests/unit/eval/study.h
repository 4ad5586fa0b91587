// Made-up studies for tests: patients with several images each.
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "base/philox.h"
#include "eval/predictions.h"

namespace bcx::test {

/// Scores of the positive class become rows [1 - p, p].
inline eval::Outcomes outcomes_of(std::vector<eval::Label> targets,
                                  const std::vector<double>& positive,
                                  std::vector<std::string> groups) {
  std::vector<double> rows;
  for (const double p : positive) rows.insert(rows.end(), {1.0 - p, p});
  return {std::move(targets), eval::Probabilities(std::move(rows), 2), std::move(groups),
          eval::ScoreKind::probability};
}

/// `negatives` + `positives` patients of `images` images each; scores rounded to hundredths (ties),
/// alike within a patient.
inline eval::Outcomes study(int negatives, int positives, int images, std::uint64_t seed,
                            double separation = 1.5) {
  const Stream stream(seed, "study");
  std::vector<eval::Label> targets;
  std::vector<double> scores;
  std::vector<std::string> groups;
  std::uint64_t at = 0;
  for (int p = 0; p < negatives + positives; ++p) {
    const int target = p < negatives ? 0 : 1;
    const double of_patient = stream.normal(at++);
    for (int i = 0; i < images; ++i) {
      const double logit = separation * (target - 0.5) + of_patient + stream.normal(at++);
      targets.push_back(target);
      scores.push_back(std::round(100.0 / (1.0 + std::exp(-logit))) / 100.0);
      groups.push_back("p" + std::to_string(p));
    }
  }
  return outcomes_of(std::move(targets), scores, std::move(groups));
}

}  // namespace bcx::test
