#include "model/lower_weights.h"

#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/linear.h>
#include <torch/utils.h>

#include <string>
#include <unordered_set>

#include "bcx/sdk/nn.h"
#include "model/parameters.h"

namespace bcx::model {
namespace {

bool multiplies(const torch::nn::Module& module) {
  return module.as<sdk::Conv2d>() || module.as<sdk::Linear>() ||
         module.as<torch::nn::Conv1dImpl>() || module.as<torch::nn::Conv2dImpl>() ||
         module.as<torch::nn::Conv3dImpl>() || module.as<torch::nn::LinearImpl>();
}

std::unordered_set<std::string> weights_of(const torch::nn::Module& module) {
  std::unordered_set<std::string> names;
  for (const auto& item : module.named_modules("", /*include_self=*/false))
    if (multiplies(*item.value())) names.insert(item.key() + ".weight");
  return names;
}

/// With the same autograd state, so that who holds the tensor sees the other numbers.
void hold(const Entry& entry, const at::Tensor& data) {
  auto owner = entry.owner;
  owner.set_data(data);
}

}  // namespace

LowerWeights::LowerWeights(const torch::nn::Module& module, const FlatParameters& parameters)
    : parameters_(parameters) {
  const auto names = weights_of(module);
  const auto& entries = parameters.parameters();
  for (std::size_t i = 0; i < entries.size(); ++i)
    if (names.contains(entries[i].name))
      weights_.push_back({i, FlatParameters::view(entries[i], parameters.values()), {}});
}

void LowerWeights::refresh(at::ScalarType type) {
  const torch::NoGradGuard no_grad;
  const auto& values = parameters_.values();
  if (flat_.defined() && flat_.scalar_type() == type) {
    flat_.copy_(values);
    return;
  }
  flat_ = values.to(type);
  for (auto& weight : weights_)
    weight.lower = FlatParameters::view(parameters_.parameters()[weight.entry], flat_);
}

LowerWeights::Scope::Scope(const LowerWeights& weights) : weights_(weights) {
  for (const auto& weight : weights.weights_)
    hold(weights.parameters_.parameters()[weight.entry], weight.lower);
}

LowerWeights::Scope::~Scope() {
  for (const auto& weight : weights_.weights_)
    hold(weights_.parameters_.parameters()[weight.entry], weight.own);
}

}  // namespace bcx::model
