#include "check/multiply_accumulates.h"

#include <ATen/ATen.h>

#include <memory>
#include <string_view>

namespace bcx::check {
namespace {

std::int64_t counted = 0;

/// Inputs can be seen at the start of a call alone, outputs at its end.
struct Cost : at::ObserverContext {
  std::int64_t per_output = 0;  ///< products that each element of the output is the sum of
  std::int64_t whole = 0;       ///< what does not depend on the output
};

/// Every convolution passes through aten::convolution(input, weight, ...), every linear layer and
/// product through one of the others.
std::unique_ptr<at::ObserverContext> begin(const at::RecordFunction& call) {
  const std::string_view name = call.name();
  auto cost = std::make_unique<Cost>();
  const auto size = [&](std::size_t input, std::int64_t dimension) {
    return call.inputs()[input].toTensor().size(dimension);
  };
  if (name == "aten::convolution") {
    const auto weight = call.inputs()[1].toTensor();
    cost->per_output = weight.numel() / weight.size(0);
  } else if (name == "aten::mm" || name == "aten::bmm") {
    cost->per_output = size(0, -1);
  } else if (name == "aten::addmm" || name == "aten::baddbmm") {
    cost->per_output = size(1, -1);
  } else if (name == "aten::_scaled_dot_product_flash_attention_for_cpu") {
    // Queries times keys, then weights times values.
    cost->whole = call.inputs()[0].toTensor().numel() * size(1, -2) * 2;
  }
  return cost;
}

void end(const at::RecordFunction& call, at::ObserverContext* context) {
  const auto* cost = static_cast<Cost*>(context);
  counted += cost->whole;
  if (cost->per_output > 0) counted += call.outputs()[0].toTensor().numel() * cost->per_output;
}

}  // namespace

MultiplyAccumulates::MultiplyAccumulates()
    : handle_(at::addThreadLocalCallback(at::RecordFunctionCallback(begin, end)
                                             .needsInputs(true)
                                             .needsOutputs(true)
                                             .scopes({at::RecordScope::FUNCTION}))) {
  counted = 0;
}

MultiplyAccumulates::~MultiplyAccumulates() {
  at::removeCallback(handle_);
}

std::int64_t MultiplyAccumulates::count() const {
  return counted;
}

}  // namespace bcx::check
