#include <torch/utils.h>

#include "base/error.h"
#include "model/classifier.h"
#include "model/optimizer_groups.h"
#include "model/parameters.h"
#include "tests/catch.h"
#include "tests/integration/train/tiny_backbone.h"

using namespace bcx;

namespace {

std::shared_ptr<model::Classifier> tiny(bool batch_norm = true) {
  torch::manual_seed(3);
  config::HeadConfig head;
  head.dropout = 0.0;
  return std::make_shared<model::Classifier>(std::make_shared<test::TinyBackbone>(batch_norm), head,
                                             2);
}

sdk::ModelContext context() {
  return {at::globalContext().defaultGenerator(at::kCPU).clone()};
}

}  // namespace

TEST_CASE("flattening changes neither names, values nor outputs") {
  auto plain = tiny(), flat = tiny();
  const model::FlatParameters parameters(*flat);
  auto c = context();
  plain->eval();
  flat->eval();
  const auto images = torch::rand({4, 3, 8, 8});
  CHECK(at::allclose(plain->forward(images, c), flat->forward(images, c), 0, 1e-6));
  for (const auto& item : plain->named_parameters())
    CHECK(at::equal(item.value(), *flat->named_parameters().find(item.key())));
  for (const auto& entry : parameters.parameters()) {
    CHECK(entry.offset * 4 % 64 == 0);
    CHECK(at::equal(model::FlatParameters::read(entry, parameters.values()),
                    *plain->named_parameters().find(entry.name)));
  }
  const auto weight = *flat->named_parameters().find("backbone.conv.weight");
  CHECK(weight.is_contiguous(at::MemoryFormat::ChannelsLast));
  CHECK(parameters.parameter_count() == 6 * 27 + 6 + 6 + 6 + 6 + 6 + 12 + 2);
  parameters.check_views("at all");
}

TEST_CASE("a step on the flat buffer is a step of the module") {
  auto module = tiny();
  const model::FlatParameters parameters(*module);
  torch::NoGradGuard no_grad;
  parameters.values().add_(0.5);
  const auto weight = *module->named_parameters().find("backbone.conv.weight");
  const auto& entry = parameters.parameters().front();
  CHECK(at::equal(weight.contiguous(), model::FlatParameters::read(entry, parameters.values())));
}

TEST_CASE("collected gradients are autograd's, padding stays zero") {
  // float64: the two layouts add up in another order.
  auto plain = tiny(), flat = tiny();
  plain->to(at::kDouble);
  flat->to(at::kDouble);
  model::FlatParameters parameters(*flat);
  const std::vector<std::string> none;
  parameters.freeze(none);
  auto c = context();
  const auto images = torch::rand({4, 3, 8, 8}, at::kDouble);
  plain->train();
  flat->train();
  plain->forward(images, c).square().sum().backward();
  flat->forward(images, c).square().sum().backward();
  parameters.collect_gradients(false, 0.5);
  std::int64_t covered = 0;
  for (const auto& entry : parameters.parameters()) {
    const auto expected = plain->named_parameters().find(entry.name)->grad() * 0.5;
    CHECK(at::allclose(model::FlatParameters::read(entry, parameters.gradients()), expected, 1e-5,
                       1e-7));
    CHECK_FALSE(entry.owner.grad().defined());
    covered += model::FlatParameters::read(entry, parameters.gradients())
                   .count_nonzero()
                   .item<std::int64_t>();
  }
  CHECK(parameters.gradients().count_nonzero().item<std::int64_t>() == covered);
}

TEST_CASE("freezing is by pattern and gives ranges of neighbours") {
  auto module = tiny();
  model::FlatParameters parameters(*module);
  model::OptimizerGroups groups(parameters, {});
  const std::vector<std::string> backbone{"backbone.*"}, norm{"backbone.norm.*"};
  parameters.freeze(backbone);
  groups.update();
  REQUIRE(groups.ranges().size() == 1);
  CHECK(groups.ranges()[0].segments.front().name == "head.norm.weight");
  CHECK(groups.ranges()[0].segments.size() == 4);
  parameters.freeze(norm);
  groups.update();
  REQUIRE(groups.ranges().size() == 2);
  CHECK(groups.ranges()[0].segments.size() == 2);
  CHECK(groups.ranges()[0].offset == 0);

  module->train_unfrozen(false);
  std::map<std::string, bool> training;
  for (const auto& item : module->named_modules())
    training[item.key()] = item.value()->is_training();
  CHECK_FALSE(training["backbone.norm"]);
  CHECK(training["backbone.conv"]);
  CHECK(training["head"]);
}

TEST_CASE("a frozen normalisation of the head keeps its statistics") {
  auto module = tiny(false);
  model::FlatParameters parameters(*module);
  const std::vector<std::string> patterns{"head.norm.*"};
  parameters.freeze(patterns);
  module->train_unfrozen(false);
  const auto before = parameters.buffers().clone();
  auto c = context();
  module->forward(torch::rand({4, 3, 8, 8}), c);
  CHECK(at::equal(parameters.buffers(), before));
}

TEST_CASE("a pattern that freezes nothing, or all, is an error") {
  auto module = tiny();
  model::FlatParameters parameters(*module);
  const std::vector<std::string> typo{"backbone.conv.wieght"}, all{"*"};
  try {
    parameters.freeze(typo);
    FAIL("froze what is not there");
  } catch (const Error& error) {
    CHECK(std::string(error.what()) ==
          "train.freeze: freeze pattern \"backbone.conv.wieght\" matches no parameter; "
          "did you mean \"backbone.conv.weight\"?");
  }
  try {
    parameters.freeze(all);
    FAIL("froze everything");
  } catch (const Error& error) {
    CHECK(std::string(error.what()) ==
          "train.freeze: every parameter is frozen, nothing is left to train; "
          "leave the head out: [\"backbone.*\"]");
  }
}

TEST_CASE("a converted module is found out") {
  auto module = tiny();
  const model::FlatParameters parameters(*module);
  module->to(at::kDouble);
  CHECK_THROWS_WITH(
      parameters.check_views("by callback \"x\""),
      "parameter \"backbone.conv.weight\" was replaced or converted by callback \"x\"; "
      "change values in place (copy_), never the module's type or device");
}

TEST_CASE("patterns match as globs do") {
  CHECK(model::matches("*", "anything.at.all"));
  CHECK(model::matches("backbone.*", "backbone.features.conv0.weight"));
  CHECK_FALSE(model::matches("backbone.*", "head.linear.weight"));
  CHECK(model::matches("*.norm?.bias", "a.b.norm1.bias"));
  CHECK_FALSE(model::matches("*.norm?.bias", "a.b.norm.bias"));
  CHECK(model::matches("*a*b*", "xxaxxbxx"));
  CHECK_FALSE(model::matches("", "a"));
}
