// Groups of parameters: factors of learning rate and weight decay by name, numbers of steps, and
// layer-wise arithmetic on ranges.

#include <torch/utils.h>

#include "base/error.h"
#include "bcx/sdk/segments.h"
#include "model/classifier.h"
#include "model/optimizer_groups.h"
#include "tests/catch.h"
#include "tests/integration/train/tiny_backbone.h"

using namespace bcx;
using config::ParameterGroupsConfig;
using model::Multipliers;

namespace {

/// Only what the rules look at.
std::vector<model::Entry> named(
    const std::vector<std::pair<std::string, std::vector<std::int64_t>>>& items) {
  std::vector<model::Entry> entries;
  for (const auto& [name, shape] : items) {
    model::Entry entry;
    entry.name = name;
    entry.shape = shape;
    entries.push_back(std::move(entry));
  }
  return entries;
}

const std::vector<std::int64_t> vector{4}, matrix{4, 4}, kernel{4, 4, 3, 3};

std::shared_ptr<model::Classifier> tiny() {
  torch::manual_seed(3);
  config::HeadConfig head;
  head.dropout = 0.0;
  return std::make_shared<model::Classifier>(std::make_shared<test::TinyBackbone>(true), head, 2);
}

}  // namespace

TEST_CASE("layers are what shares a name up to its first number") {
  const auto dense = named({{"backbone.features.conv0.weight", kernel},
                            {"backbone.features.norm0.weight", vector},
                            {"backbone.features.denseblock1.denselayer1.conv1.weight", kernel},
                            {"backbone.features.denseblock1.denselayer2.conv1.weight", kernel},
                            {"backbone.features.transition1.norm.weight", vector},
                            {"backbone.features.transition1.conv.weight", kernel},
                            {"backbone.features.norm5.weight", vector},
                            {"head.norm.weight", vector},
                            {"head.linear.weight", matrix}});
  CHECK(model::layers_of(dense) == std::vector<int>{0, 0, 1, 1, 2, 2, 2, 3, 3});
  const auto transformer = named({{"backbone.class_token", {1, 1, 4}},
                                  {"backbone.conv_proj.weight", kernel},
                                  {"backbone.encoder.pos_embedding", {1, 5, 4}},
                                  {"backbone.encoder.layers.encoder_layer_0.ln_1.weight", vector},
                                  {"backbone.encoder.layers.encoder_layer_0.mlp.0.weight", matrix},
                                  {"backbone.encoder.layers.encoder_layer_1.mlp.0.weight", matrix},
                                  {"backbone.encoder.ln.weight", vector},
                                  {"head.linear.bias", vector}});
  CHECK(model::layers_of(transformer) == std::vector<int>{0, 0, 0, 1, 1, 2, 2, 3});
}

TEST_CASE("factors multiply") {
  const auto entries = named({{"backbone.conv1.weight", kernel},
                              {"backbone.bn1.weight", vector},
                              {"backbone.layer1.conv.weight", kernel},
                              {"backbone.layer1.conv.bias", vector},
                              {"head.linear.weight", matrix},
                              {"head.linear.bias", vector}});
  ParameterGroupsConfig config;
  // In parentheses: LibTorch declares a way to print any vector, which Multipliers has not.
  CHECK((model::multipliers(config, entries) == std::vector<Multipliers>(6)));
  config.layer_decay = 0.5;
  config.head_multiplier = 10.0;
  config.no_decay = "norm_and_bias";
  config.groups.push_back({"backbone.layer1.*", 3.0, 2.0});
  config.groups.push_back({"*.weight", 1.0, 0.5});
  CHECK((model::multipliers(config, entries) ==
         std::vector<Multipliers>{
             {0.25, 0.5}, {0.25, 0.0}, {1.5, 1.0}, {1.5, 0.0}, {10.0, 0.5}, {10.0, 0.0}}));
  config.groups = {{"*.bias", 1.0, 1.0}, {"backbone.layr1.*", 1.0, 1.0}};
  try {
    model::multipliers(config, entries);
    FAIL("a pattern without a parameter");
  } catch (const Error& error) {
    CHECK(error.code() == ExitCode::usage);
    CHECK(std::string(error.what()) ==
          "optimizer.group.#2.pattern: pattern \"backbone.layr1.*\" matches no parameter");
  }
}

TEST_CASE("ranges share their factors, and each its learning rate") {
  const auto module = tiny();
  model::FlatParameters parameters(*module);
  parameters.freeze({});
  ParameterGroupsConfig config;
  config.head_multiplier = 10.0;
  config.no_decay = "norm_and_bias";
  model::OptimizerGroups groups(parameters, model::multipliers(config, parameters.parameters()));
  groups.update();
  groups.set_learning_rate(0.25);
  double covered = 0;
  for (const auto& range : groups.ranges()) {
    const bool head = range.name.starts_with("head.");
    CHECK(range.learning_rate.item<double>() == (head ? 2.5 : 0.25));
    for (const auto& segment : range.segments)
      CHECK(range.weight_decay == (segment.shape.size() > 1 ? 1.0 : 0.0));
    CHECK(range.segment_sizes.sum().item<std::int64_t>() == range.parameters.numel());
    covered += static_cast<double>(range.parameters.numel());
  }
  CHECK(covered == parameters.values().numel());
  // conv weight | norm weight and bias | head norm | linear weight | linear bias
  CHECK(groups.ranges().size() >= 4);
}

TEST_CASE("parameters count the steps that they took part in, and skipped ones not") {
  const auto module = tiny();
  model::FlatParameters parameters(*module);
  model::OptimizerGroups groups(parameters, {});
  const auto step = [&](bool skip) {
    groups.begin_step();
    std::map<std::string, double> numbers;
    for (const auto& range : groups.ranges())
      for (const auto& segment : range.segments) numbers[segment.name] = range.step.item<double>();
    groups.end_step(at::scalar_tensor(skip, at::kBool));
    return numbers;
  };
  const std::vector<std::string> backbone{"backbone.*"};
  parameters.freeze(backbone);
  groups.update();
  CHECK(step(false) == std::map<std::string, double>{{"head.norm.weight", 1},
                                                     {"head.norm.bias", 1},
                                                     {"head.linear.weight", 1},
                                                     {"head.linear.bias", 1}});
  CHECK(step(true).at("head.linear.bias") == 2);
  CHECK(step(false).at("head.linear.bias") == 2);
  parameters.freeze({});
  groups.update();
  REQUIRE(groups.ranges().size() == 2);
  const auto both = step(false);
  CHECK(both.at("backbone.conv.weight") == 1);
  CHECK(both.at("head.linear.bias") == 3);
  CHECK(groups.steps()[0].item<double>() == 1);

  // Counts that a checkpoint gave back cut the same ranges.
  model::OptimizerGroups again(parameters, {});
  again.steps().copy_(groups.steps());
  again.update();
  CHECK(again.ranges().size() == 2);
}

TEST_CASE("norms of segments, and numbers over segments") {
  const auto module = tiny();
  model::FlatParameters parameters(*module);
  parameters.freeze({});
  model::OptimizerGroups groups(parameters, {});
  groups.update();
  const auto& range = groups.ranges()[0];
  const auto norms = sdk::segment_norms(range.parameters, range);
  const auto spread = sdk::per_element(norms, range);
  REQUIRE(norms.size(0) == static_cast<std::int64_t>(range.segments.size()));
  REQUIRE(spread.numel() == range.parameters.numel());
  for (std::size_t i = 0; i < range.segments.size(); ++i) {
    const auto& segment = range.segments[i];
    const auto part = range.parameters.narrow(0, segment.offset, segment.size);
    const double expected = part.to(at::kDouble).square().sum().sqrt().item<double>();
    CHECK(norms[static_cast<std::int64_t>(i)].item<double>() == Approx(expected).epsilon(1e-6));
    const auto own = spread.narrow(0, segment.offset, segment.size);
    CHECK(own.eq(norms[static_cast<std::int64_t>(i)]).all().item<bool>());
  }
}
