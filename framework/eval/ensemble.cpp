#include "eval/ensemble.h"

#include <cmath>
#include <stdexcept>

#include "eval/temperature.h"

namespace bcx::eval {

Predictions mean_of(std::span<const EnsembleMember> members) {
  if (members.empty()) throw std::invalid_argument("an ensemble of nothing");
  Predictions mean = members.front().predictions;
  std::vector<double> sums(mean.logits.size());
  for (const auto& [own, temperature] : members) {
    require_consistent(own);
    if (own.classes != mean.classes || own.ids != mean.ids || own.targets != mean.targets)
      throw std::invalid_argument("members of an ensemble have other samples");
    const auto p = tempered(own.logits, own.classes, temperature);
    const auto classes = static_cast<std::size_t>(own.classes);
    for (std::size_t i = 0; i < own.size(); ++i)
      for (std::size_t c = 0; c < classes; ++c) sums[i * classes + c] += p.row(i)[c];
  }
  constexpr double least = 1e-300;  // its logarithm is a float32 like any other
  for (std::size_t i = 0; i < sums.size(); ++i) {
    const double p = sums[i] / static_cast<double>(members.size());
    mean.logits[i] = static_cast<float>(std::log(p < least ? least : p));  // keeps not-a-number
  }
  return mean;
}

}  // namespace bcx::eval
