#include "small_network.h"

#include <torch/nn.h>
#include <torch/optim/adam.h>

#include "base/philox.h"

namespace bcx::test {
namespace {

torch::nn::Sequential make_network() {
  torch::nn::Sequential network;
  std::int64_t from = 3;
  for (const std::int64_t to : {16, 24, 32, 48}) {
    network->push_back(
        torch::nn::Conv2d(torch::nn::Conv2dOptions(from, to, 3).padding(1).bias(false)));
    network->push_back(torch::nn::BatchNorm2d(to));
    network->push_back(torch::nn::ReLU());
    network->push_back(torch::nn::MaxPool2d(2));
    from = to;
  }
  network->push_back(torch::nn::AdaptiveAvgPool2d(1));
  network->push_back(torch::nn::Flatten());
  network->push_back(torch::nn::Linear(from, 2));
  return network;
}

torch::Tensor rows_of(const std::vector<std::int64_t>& indexes) {
  return torch::tensor(indexes, torch::kLong);
}

}  // namespace

double pair_auc(const std::vector<double>& scores, const std::vector<int>& labels) {
  double wins = 0, pairs = 0;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    for (std::size_t j = 0; j < scores.size(); ++j) {
      if (labels[i] != 1 || labels[j] != 0) continue;
      pairs += 1;
      wins += scores[i] > scores[j] ? 1.0 : scores[i] == scores[j] ? 0.5 : 0.0;
    }
  }
  return wins / pairs;
}

Outcome train_and_test(const Pictures& pictures, const data::Split& split, int epochs,
                       std::uint64_t seed) {
  torch::set_num_threads(1);  // work this small only waits for a second thread
  torch::manual_seed(static_cast<std::int64_t>(seed));
  const auto images =
      torch::tensor(pictures.values).view({pictures.count, 3, pictures.side, pictures.side});
  const auto labels =
      torch::tensor(std::vector<std::int64_t>(pictures.labels.begin(), pictures.labels.end()));
  auto train = split.indexes(data::Part::train);
  for (const auto i : split.indexes(data::Part::validation)) train.push_back(i);
  const auto test = split.indexes(data::Part::test);

  auto network = make_network();
  torch::optim::Adam optimizer(network->parameters(), torch::optim::AdamOptions(3e-3));
  const auto count = static_cast<std::int64_t>(train.size());
  const std::int64_t batch = 16;
  for (int epoch = 0; epoch < epochs; ++epoch) {
    for (auto& group : optimizer.param_groups()) {
      static_cast<torch::optim::AdamOptions&>(group.options())
          .lr(epoch < epochs * 2 / 3 ? 3e-3 : 6e-4);
    }
    const auto order =
        permutation(Stream(seed, "shuffle", static_cast<std::uint64_t>(epoch)), count);
    for (std::int64_t at = 0; at + 1 < count; at += batch) {
      std::vector<std::int64_t> chosen;
      for (std::int64_t i = at; i < std::min(at + batch, count); ++i) {
        chosen.push_back(train[static_cast<std::size_t>(order[static_cast<std::size_t>(i)])]);
      }
      auto input = images.index_select(0, rows_of(chosen));
      if (at / batch % 2) input = input.flip(2);
      if (Stream(seed, "flip", static_cast<std::uint64_t>(epoch))
              .word(static_cast<std::uint64_t>(at)) &
          1u) {
        input = input.flip(3);
      }
      optimizer.zero_grad();
      torch::nn::functional::cross_entropy(network->forward(input),
                                           labels.index_select(0, rows_of(chosen)))
          .backward();
      optimizer.step();
    }
  }

  network->eval();
  const torch::NoGradGuard no_grad;
  const auto logits = network->forward(images.index_select(0, rows_of(test)));
  Outcome outcome;
  std::vector<double> scores;
  std::vector<int> truth;
  for (std::size_t i = 0; i < test.size(); ++i) {
    const auto row = static_cast<std::int64_t>(i);
    scores.push_back(logits[row][1].item<double>() - logits[row][0].item<double>());
    truth.push_back(pictures.labels[static_cast<std::size_t>(test[i])]);
    outcome.accuracy += (scores.back() > 0) == (truth.back() == 1) ? 1.0 : 0.0;
  }
  outcome.accuracy /= static_cast<double>(test.size());
  outcome.auc = pair_auc(scores, truth);
  return outcome;
}

}  // namespace bcx::test
