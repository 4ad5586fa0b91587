// How many of LibTorch's operators are called.
#pragma once

#include <ATen/record_function.h>

#include <cstdint>

namespace bcx::engine {

/// Counts the operators that are called in this process while it lives, autograd's among them, but
/// not those that another operator calls; one at a time. On a GPU each launches a kernel or a few.
class OperatorCount {
 public:
  OperatorCount();
  ~OperatorCount();
  OperatorCount(const OperatorCount&) = delete;
  OperatorCount& operator=(const OperatorCount&) = delete;
  std::int64_t count() const;

 private:
  at::CallbackHandle handle_;
};

}  // namespace bcx::engine
