#include "eval/recorded_predictions.h"

namespace bcx::eval {

Predictions recorded_predictions(std::span<const tracker::PredictionShown> rows,
                                 std::size_t classes, double temperature) {
  Predictions predictions;
  predictions.classes = static_cast<int>(classes);
  bool grouped = true;
  for (const auto& row : rows) {
    predictions.ids.push_back(row.sample);
    predictions.targets.push_back(row.target);
    predictions.groups.push_back(row.group);
    for (const float logit : row.logits)
      predictions.logits.push_back(static_cast<float>(logit / temperature));
    grouped = grouped && !row.group.empty();
  }
  if (!grouped) predictions.groups.clear();
  return predictions;
}

}  // namespace bcx::eval
