// The type that convolutions and matrix products compute in.
#pragma once

#include <ATen/core/Tensor.h>

#include <string_view>

namespace bcx::train {

enum class Precision { fp32, bf16, fp16 };
std::string_view name_of(Precision precision);
/// Throws bcx::Error (usage) for another word than fp32, bf16, fp16.
Precision precision_named(std::string_view name);

/// Autocast for the scope: lower-precision operators run in `precision` (nothing for fp32), with
/// the weight cache off: a cache that outlives a step would train on stale weights, and each weight
/// is used once per forward pass anyway.
class AutocastScope {
 public:
  AutocastScope(at::Device device, Precision precision);
  ~AutocastScope();
  AutocastScope(const AutocastScope&) = delete;
  AutocastScope& operator=(const AutocastScope&) = delete;

 private:
  at::DeviceType type_;
  bool active_, was_enabled_ = false, had_cache_ = false;
  at::ScalarType old_type_ = at::kFloat;
};

}  // namespace bcx::train
