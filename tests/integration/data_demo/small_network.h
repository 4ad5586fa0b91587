// A small convolutional network, trained on demo pictures: what an honest and a leaky split make of
// the same data.
#pragma once

#include <cstdint>
#include <vector>

#include "data/sample.h"
#include "data/split.h"

namespace bcx::test {

/// Pictures as the network sees them: [count, 3, side, side] floats around 0.
struct Pictures {
  std::int64_t count = 0, side = 0;
  std::vector<float> values;
  std::vector<int> labels;
};

struct Outcome {
  double accuracy = 0;  ///< of the test part, argmax
  double auc = 0;       ///< of the test part, from the scores
};

/// Trains on train and validation together, tests on test. Four convolutions of 3x3 with batch
/// norm, about 30,000 weights, Adam; pictures are flipped at random. A function of `seed`.
Outcome train_and_test(const Pictures& pictures, const data::Split& split, int epochs,
                       std::uint64_t seed);

/// Area under the ROC curve by counting pairs; ties count half.
double pair_auc(const std::vector<double>& scores, const std::vector<int>& labels);

}  // namespace bcx::test
