// Training steps of a small network, on any device, with images and rates of their own.
#pragma once

#include <ATen/CPUGeneratorImpl.h>
#include <torch/utils.h>

#include <memory>
#include <string>
#include <vector>

#include "model/classifier.h"
#include "model/parameters.h"
#include "tests/catch.h"
#include "tests/integration/train/tiny_backbone.h"
#include "train/step.h"

namespace bcx::test {

using namespace bcx::train;

/// Gradient descent with momentum, so that there is a state of its own.
class Momentum : public sdk::Optimizer {
 public:
  void initialize(const at::Tensor& parameters) override { velocity = at::zeros_like(parameters); }
  void step(std::span<const sdk::ParameterGroup> groups, const sdk::StepScalars& scalars) override {
    for (const auto& group : groups) {
      const auto v = velocity.narrow(0, group.offset, group.parameters.numel());
      v.copy_(at::where(scalars.skip, v, 0.9 * v + group.gradients));
      const auto update = v * group.learning_rate.to(at::kFloat);
      group.parameters.sub_(at::where(scalars.skip, at::zeros_like(update), update));
    }
  }
  std::vector<sdk::NamedTensor> state() override { return {{"velocity", velocity}}; }
  at::Tensor velocity;
};

/// A small network with batch statistics and dropout.
struct Rig {
  at::Device device;
  std::shared_ptr<test::TinyBackbone> backbone;
  std::shared_ptr<model::Classifier> classifier;
  std::unique_ptr<model::FlatParameters> parameters;
  Momentum optimizer;
  CrossEntropy loss;
  std::unique_ptr<StepExecutor> step;
  std::int64_t done = 0;
  std::vector<double> losses;

  explicit Rig(
      at::Device on, StepSettings settings = {},
      std::shared_ptr<test::TinyBackbone> network = std::make_shared<test::TinyBackbone>(true))
      : device(on),
        backbone(std::move(network)),
        loss(0.0, {}, at::TensorOptions(at::kFloat).device(on)) {
    backbone->drop = 0.3;
    config::HeadConfig head;
    head.dropout = 0.2;
    head.batch_norm = false;
    classifier = std::make_shared<model::Classifier>(backbone, head, 3);
    torch::manual_seed(5);
    for (auto& parameter : classifier->parameters()) parameter.detach().uniform_(-0.3, 0.3);
    classifier->to(device);
    parameters = std::make_unique<model::FlatParameters>(*classifier);
    step = std::make_unique<StepExecutor>(*classifier, *parameters, optimizer,
                                          test::site(config::ComponentKind::optimizer, "momentum"),
                                          test::site(config::ComponentKind::backbone, "tiny"), loss,
                                          settings);
    step->set_frozen({});
  }

  /// One step over micro-batches of these sizes, with images of its own and a rate of its own.
  void run(const std::vector<std::int64_t>& sizes) {
    step->set_learning_rate(0.1 / static_cast<double>(1 + done));
    std::int64_t samples = 0;
    for (const auto size : sizes) samples += size;
    const auto make_batch = [&](std::int64_t i) {
      const auto n = sizes[static_cast<std::size_t>(i)];
      auto generator =
          at::make_generator<at::CPUGeneratorImpl>(static_cast<std::uint64_t>(1000 * done + i));
      const auto labels = at::randint(0, 3, {n}, generator, at::TensorOptions().dtype(at::kLong));
      return sdk::Batch{
          at::rand({n, 3, 8, 8}, generator).contiguous(at::MemoryFormat::ChannelsLast).to(device),
          at::one_hot(labels, 3).to(at::kFloat).to(device)};
    };
    const auto values =
        step->run(static_cast<std::int64_t>(sizes.size()), samples, make_batch, {0, done++});
    losses.push_back(values.loss.item<double>());
    losses.push_back(values.gradient_norm.item<double>());
  }
  void run(std::int64_t times, const std::vector<std::int64_t>& sizes) {
    for (std::int64_t i = 0; i < times; ++i) run(sizes);
  }
};

inline void check_same_bytes(const Rig& a, const Rig& b) {
  CHECK(at::equal(a.parameters->values(), b.parameters->values()));
  CHECK(at::equal(a.parameters->buffers(), b.parameters->buffers()));
  CHECK(at::equal(a.optimizer.velocity, b.optimizer.velocity));
  CHECK(a.losses == b.losses);
  const auto one = a.step->totals(), other = b.step->totals();
  CHECK(one.loss == other.loss);
  CHECK(one.accuracy == other.accuracy);
  CHECK(one.samples == other.samples);
  CHECK(one.skipped == other.skipped);
  CHECK(a.step->optimizer_steps() == b.step->optimizer_steps());
}

}  // namespace bcx::test
