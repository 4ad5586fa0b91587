#include "train/precision.h"

#include <ATen/autocast_mode.h>

#include "base/error.h"

namespace bcx::train {

std::string_view name_of(Precision precision) {
  return precision == Precision::fp32 ? "fp32" : precision == Precision::bf16 ? "bf16" : "fp16";
}

Precision precision_named(std::string_view name) {
  for (const auto p : {Precision::fp32, Precision::bf16, Precision::fp16})
    if (name_of(p) == name) return p;
  throw Error(ExitCode::usage, {"unknown precision \"" + std::string(name) + "\"",
                                "train.precision", "one of auto, fp32, bf16, fp16"});
}

AutocastScope::AutocastScope(at::Device device, Precision precision)
    : type_(device.type()), active_(precision != Precision::fp32) {
  if (!active_) return;
  was_enabled_ = at::autocast::is_autocast_enabled(type_);
  had_cache_ = at::autocast::is_autocast_cache_enabled();
  old_type_ = at::autocast::get_autocast_dtype(type_);
  at::autocast::set_autocast_dtype(type_, precision == Precision::bf16 ? at::kBFloat16 : at::kHalf);
  at::autocast::set_autocast_cache_enabled(false);
  at::autocast::set_autocast_enabled(type_, true);
}

AutocastScope::~AutocastScope() {
  if (!active_) return;
  at::autocast::set_autocast_enabled(type_, was_enabled_);
  at::autocast::set_autocast_cache_enabled(had_cache_);
  at::autocast::set_autocast_dtype(type_, old_type_);
  at::autocast::clear_cache();
}

}  // namespace bcx::train
