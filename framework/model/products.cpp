#include "model/products.h"

#include <ATen/ATen.h>

#include <memory>
#include <string_view>

namespace bcx::model {
namespace {

thread_local std::vector<Product> recorded;

/// Inputs can be seen at the start of a call alone, outputs at its end.
struct Cost : at::ObserverContext {
  bool counts = false;
  Product product;
  std::int64_t per_output = 0;  ///< products that each element of the output is the sum of
};

/// Which inputs of a call are multiplied, and which of these is a layer's weight.
struct Operands {
  std::size_t first = 0, count = 2;
  int weight = -1;
};

void add_operands(const at::RecordFunction& call, const Operands& operands, Product& product) {
  for (std::size_t i = operands.first; i < operands.first + operands.count; ++i) {
    const auto elements = call.inputs()[i].toTensor().numel();
    (static_cast<int>(i) == operands.weight ? product.weights : product.activations) += elements;
  }
}

/// Every convolution passes through aten::convolution(input, weight, ...), every linear layer and
/// product through one of the others.
std::unique_ptr<at::ObserverContext> begin(const at::RecordFunction& call) {
  const std::string_view name = call.name();
  auto cost = std::make_unique<Cost>();
  const auto input = [&](std::size_t index) { return call.inputs()[index].toTensor(); };
  const auto takes = [&](const Operands& operands) {
    cost->counts = true;
    add_operands(call, operands, cost->product);
  };
  if (name == "aten::convolution") {
    takes({.weight = 1});
    cost->per_output = input(1).numel() / input(1).size(0);
  } else if (name == "aten::mm") {
    takes({.weight = 1});
    cost->per_output = input(0).size(-1);
  } else if (name == "aten::bmm") {
    takes({});
    cost->per_output = input(0).size(-1);
  } else if (name == "aten::addmm") {
    takes({.first = 1, .weight = 2});
    cost->per_output = input(1).size(-1);
  } else if (name == "aten::baddbmm") {
    takes({.first = 1});
    cost->per_output = input(1).size(-1);
  } else if (name == "aten::_scaled_dot_product_flash_attention_for_cpu") {
    takes({.count = 3});
    // Queries times keys, then weights times values.
    cost->product.multiply_accumulates = input(0).numel() * input(1).size(-2) * 2;
  }
  return cost;
}

void end(const at::RecordFunction& call, at::ObserverContext* context) {
  auto* cost = static_cast<Cost*>(context);
  if (!cost->counts) return;
  const auto elements = call.outputs()[0].toTensor().numel();
  cost->product.multiply_accumulates += elements * cost->per_output;
  cost->product.activations += elements;
  recorded.push_back(cost->product);
}

}  // namespace

ProductTrace::ProductTrace()
    : handle_(at::addThreadLocalCallback(at::RecordFunctionCallback(begin, end)
                                             .needsInputs(true)
                                             .needsOutputs(true)
                                             .scopes({at::RecordScope::FUNCTION}))) {
  recorded.clear();
}

ProductTrace::~ProductTrace() {
  at::removeCallback(handle_);
}

const std::vector<Product>& ProductTrace::products() const {
  return recorded;
}

std::int64_t ProductTrace::multiply_accumulates() const {
  std::int64_t sum = 0;
  for (const auto& product : recorded) sum += product.multiply_accumulates;
  return sum;
}

}  // namespace bcx::model
