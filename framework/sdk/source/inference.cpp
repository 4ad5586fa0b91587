#include "bcx/sdk/inference.h"

#include <ATen/core/grad_mode.h>

namespace bcx::sdk {
namespace {

thread_local InferenceScope* innermost = nullptr;

}  // namespace

InferenceScope::InferenceScope() : outer_(std::exchange(innermost, this)) {}

InferenceScope::~InferenceScope() {
  innermost = outer_;
}

InferenceScope* InferenceScope::current() {
  return at::GradMode::is_enabled() ? nullptr : innermost;
}

}  // namespace bcx::sdk
