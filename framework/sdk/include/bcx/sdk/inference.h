// What layers derive from their weights for inference, kept while the weights do not change.
#pragma once

#include <c10/core/ScalarType.h>

#include <map>
#include <memory>
#include <utility>

namespace bcx::sdk {

/// While one lives, the forward passes of its thread may keep what they make of weights and
/// running statistics: a batch normalisation folded into the convolution before it, weights
/// rounded to the type that is computed in and laid out as the processor wants them. A layer makes
/// it when it first runs and finds it there afterwards; with the scope it is gone. The layers of
/// bcx/sdk/nn.h do so by themselves on a CPU; what a backbone computes by operations of its own
/// may use derived().
///
/// The host opens one for many images and one set of weights (a validation, a prediction), so
/// that nothing can be stale. Whoever opens one promises that, until it ends, no weight changes
/// and no module that ran in it goes. Scopes nest; the innermost counts.
class InferenceScope {
 public:
  InferenceScope();
  ~InferenceScope();
  InferenceScope(const InferenceScope&) = delete;
  InferenceScope& operator=(const InferenceScope&) = delete;

  /// This thread's. Null outside of one, and where gradients are recorded.
  static InferenceScope* current();

  /// What `make()` returned for this owner and the type that is computed in, made at the first
  /// call. An owner (a module's address) keeps values of one C++ type. Valid as long as the scope.
  template <typename Make>
  const auto& derived(const void* owner, c10::ScalarType type, const Make& make) {
    using Value = decltype(make());
    auto& kept = kept_[{owner, type}];
    if (!kept) kept = std::make_shared<Value>(make());
    return *static_cast<const Value*>(kept.get());
  }

 private:
  std::map<std::pair<const void*, c10::ScalarType>, std::shared_ptr<const void>> kept_;
  InferenceScope* outer_;
};

}  // namespace bcx::sdk
