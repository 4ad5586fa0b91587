// Inside an InferenceScope layers fold, round and lay out their weights: they must give what the
// plain ones give, and what is kept must go with the scope.
#include "bcx/sdk/inference.h"

#include <ATen/autocast_mode.h>
#include <ATen/record_function.h>
#include <torch/nn/module.h>
#include <torch/utils.h>

#include "bcx/sdk/nn.h"
#include "tests/catch.h"
#include "tests/parity/fill.h"
#include "zoo.h"

namespace bcx::test {
namespace {

constexpr auto channels_last = at::MemoryFormat::ChannelsLast;

void fill_all(const torch::nn::Module& module) {
  const torch::NoGradGuard no_grad;
  for (auto& [name, tensor] : state_of(module)) tensor.copy_(fill(name, tensor.sizes()));
}

double difference(const at::Tensor& got, const at::Tensor& expected) {
  const auto wanted = expected.to(at::kDouble);
  return ((got.to(at::kDouble) - wanted).norm() / wanted.norm()).item<double>();
}

/// bfloat16 for the scope, as bcx sets it.
struct Autocast {
  explicit Autocast(bool active) {
    at::autocast::set_autocast_dtype(at::kCPU, at::kBFloat16);
    at::autocast::set_autocast_cache_enabled(false);
    at::autocast::set_autocast_enabled(at::kCPU, active);
  }
  ~Autocast() {
    at::autocast::set_autocast_enabled(at::kCPU, false);
    at::autocast::set_autocast_cache_enabled(true);
  }
};

/// Counts normalisations by batch or running statistics that LibTorch is asked for.
struct CountedNormalizations {
  CountedNormalizations()
      : handle(at::addGlobalCallback(at::RecordFunctionCallback([](const at::RecordFunction& call) {
                                       if (std::string_view(call.name()) == "aten::batch_norm")
                                         ++count;
                                       return std::unique_ptr<at::ObserverContext>();
                                     }).scopes({at::RecordScope::FUNCTION}))) {
    count = 0;
  }
  ~CountedNormalizations() { at::removeCallback(handle); }

  static inline int count = 0;
  at::CallbackHandle handle;
};

/// Twice: what was kept serves again. `in_scope` alone differs between what is compared.
template <typename Forward>
at::Tensor evaluated(bool in_scope, const Forward& forward) {
  const torch::NoGradGuard no_grad;
  if (!in_scope) return forward();
  const sdk::InferenceScope scope;
  const auto first = forward().clone(), second = forward();
  CHECK(at::equal(first, second));
  return second;
}

struct Layers : torch::nn::Module {
  Layers(const sdk::Conv2dOptions& options, sdk::Activation activation)
      : conv(*this, "conv", "norm", options, {.eps = 1e-3}),
        squeeze(sdk::add<sdk::SqueezeExcitation>(
            *this, "squeeze",
            sdk::SqueezeExcitationOptions{
                .channels = options.out, .squeezed = 5, .activation = activation})),
        mlp(sdk::add<sdk::Mlp>(*this, "mlp", options.out, std::int64_t{24}, 0.0)),
        activation(activation) {
    fill_all(*this);
    eval();
  }

  at::Tensor forward(const at::Tensor& x) const {
    auto context = make_context();
    const auto y = squeeze->forward(conv.forward(x, activation));
    return mlp->forward(y.permute({0, 2, 3, 1}), context);
  }

  sdk::ConvNorm conv;
  std::shared_ptr<sdk::SqueezeExcitation> squeeze;
  std::shared_ptr<sdk::Mlp> mlp;
  sdk::Activation activation;
};

constexpr sdk::Conv2dOptions kConvolutions[] = {
    {.in = 16, .out = 32},
    {.in = 3, .out = 16, .kernel = 7, .stride = 2, .bias = true},
    {.in = 16, .out = 32, .kernel = 3, .stride = 2, .groups = 4},
    {.in = 16, .out = 16, .kernel = 5, .groups = 16, .padding_mode = sdk::Padding::same},
    {.in = 16, .out = 16, .kernel = 3, .stride = 2, .padding_mode = sdk::Padding::same},
    {.in = 8, .out = 24, .kernel = 3, .dilation = 2, .padding = 0, .bias = true},
};

at::Tensor input_of(const sdk::Conv2dOptions& options) {
  return (2 * fill_uniform("input", {2, options.in, 10, 13}) - 1).contiguous(channels_last);
}

}  // namespace

TEST_CASE("layers give the same inside an inference scope") {
  using sdk::Activation;
  for (const auto& options : kConvolutions)
    for (const auto activation :
         {Activation::none, Activation::relu, Activation::relu6, Activation::hardswish,
          Activation::silu, Activation::gelu, Activation::sigmoid, Activation::hardsigmoid}) {
      CAPTURE(options.kernel, options.stride, options.groups, static_cast<int>(activation));
      Layers layers(options, activation);
      const auto x = input_of(options);
      const auto single = [&](bool in_scope) {
        return evaluated(in_scope, [&] { return layers.forward(x.to(at::kFloat)); });
      };
      const auto of_float = single(false);
      CHECK(difference(single(true), of_float) < 1e-6);
      const Autocast autocast(true);
      const auto of_bfloat16 = single(false), inside = single(true);
      CHECK(inside.scalar_type() == at::kBFloat16);
      CHECK(difference(inside, of_float) <
            std::max(0.005, 1.2 * difference(of_bfloat16, of_float)));
      layers.to(at::kDouble);
      const auto twice = [&](bool in_scope) {
        return evaluated(in_scope, [&] { return layers.forward(x); });
      };
      CHECK(difference(twice(true), twice(false)) < 1e-12);
    }
}

TEST_CASE("an inference scope changes no weight, and a new one sees those that changed") {
  Layers layers(kConvolutions[0], sdk::Activation::relu);
  const auto x = input_of(kConvolutions[0]).to(at::kFloat);
  const auto forward = [&] { return layers.forward(x); };
  const auto before = evaluated(true, forward);
  std::vector<at::Tensor> copies;
  for (const auto& [name, tensor] : state_of(layers)) copies.push_back(tensor.clone());
  evaluated(true, forward);
  for (std::size_t i = 0; i < copies.size(); ++i)
    CHECK(at::equal(copies[i], state_of(layers)[i].second));
  {
    const torch::NoGradGuard no_grad;
    for (auto& [name, tensor] : state_of(layers)) tensor.mul_(1.25);
  }
  const auto after = evaluated(true, forward);
  CHECK(difference(after, evaluated(false, forward)) < 1e-6);
  CHECK(difference(after, before) > 0.1);
}

TEST_CASE("training and gradients are as ever inside an inference scope") {
  const auto x = input_of(kConvolutions[0]).to(at::kFloat);
  Layers plain(kConvolutions[0], sdk::Activation::relu),
      scoped(kConvolutions[0], sdk::Activation::relu);
  plain.train();
  scoped.train();
  {
    const torch::NoGradGuard no_grad;
    const auto expected = plain.conv.forward(x, plain.activation);
    const sdk::InferenceScope scope;
    CHECK(at::equal(scoped.conv.forward(x, scoped.activation), expected));
    CHECK(at::equal(scoped.conv.norm->running_var, plain.conv.norm->running_var));
  }
  scoped.eval();
  const sdk::InferenceScope scope;
  CHECK(sdk::InferenceScope::current() == nullptr);  // gradients are recorded
  scoped.forward(x).sum().backward();
  CHECK(scoped.conv.conv->weight.grad().defined());
  const torch::NoGradGuard no_grad;
  CHECK(sdk::InferenceScope::current() == &scope);
  {
    const sdk::InferenceScope inner;
    CHECK(sdk::InferenceScope::current() == &inner);
  }
  CHECK(sdk::InferenceScope::current() == &scope);
}

// float32 and bfloat16 may be as far from float64 as the plain layers are.
TEST_CASE("every backbone gives the same inside an inference scope") {
  for (const auto& name : backbone_names()) {
    DYNAMIC_SECTION(name) {
      const auto backbone = make_backbone(name);
      fill_all(*backbone);
      backbone->eval();
      const auto of = [&](bool in_scope, const at::Tensor& images) {
        const CountedNormalizations counted;
        const auto map = evaluated(in_scope, [&] {
          auto context = make_context();
          return backbone->forward(images, context).map;
        });
        if (in_scope) CHECK(counted.count == 0);  // all are folded or fused
        return map;
      };
      const auto images = fill_input(64).contiguous(channels_last);
      const auto single = of(false, images);
      const auto single_inside = of(true, images);
      at::Tensor half, half_inside;
      {
        const Autocast autocast(true);
        half = of(false, images);
        half_inside = of(true, images);
      }
      backbone->to(at::kDouble);
      const auto truth = of(false, images.to(at::kDouble));
      CHECK(difference(of(true, images.to(at::kDouble)), truth) < 1e-10);
      CHECK(difference(single_inside, truth) < std::max(1e-5, 1.5 * difference(single, truth)));
      CHECK(difference(single_inside, single) < 1e-4);
      CHECK(difference(half_inside, truth) < std::max(0.01, 1.2 * difference(half, truth)));
    }
  }
}

}  // namespace bcx::test
