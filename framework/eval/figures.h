// Figures of a sample in which every cluster occurs so many times: what resampling computes ten
// thousand times, and therefore fast.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "eval/clusters.h"
#include "eval/predictions.h"

namespace bcx::eval {

/// A fixed list of figures, computed for any weights of the clusters. compute() is const and may
/// run on several threads at once.
class Figures {
 public:
  virtual ~Figures() = default;
  virtual const std::vector<std::string>& names() const = 0;
  /// `weights[c]`: how often cluster c occurs. Writes names().size() values, NaN where undefined.
  virtual void compute(std::span<const std::uint32_t> weights, std::span<double> values) const = 0;
  /// With every cluster once: the figures themselves.
  std::vector<double> estimate(std::size_t clusters) const;
};

/// The figures of named_metrics() that resampling makes sense of, under the same names: auc,
/// average_precision, accuracy, balanced_accuracy, precision, recall, f1, mcc, sensitivity,
/// specificity, brier, log_loss, and patient.*. ECE is left out: it is biased upwards in small
/// samples, and more so in resampled ones. O(samples) for each compute(); memory O(samples).
std::unique_ptr<Figures> figures_of(const Outcomes& outcomes, const DecisionRule& rule,
                                    const Clusters& clusters);

/// Mean over `second` less mean over `first`, figure by figure, for the names that all of them
/// have. Neither may be empty.
std::unique_ptr<Figures> difference_of(std::vector<std::unique_ptr<Figures>> first,
                                       std::vector<std::unique_ptr<Figures>> second);

}  // namespace bcx::eval
