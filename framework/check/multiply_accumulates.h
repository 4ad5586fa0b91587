// Counts the multiply-accumulates of convolutions and matrix products.
#pragma once

#include <ATen/record_function.h>

#include <cstdint>

namespace bcx::check {

/// Counts what is called on this thread while it lives; one at a time. Convolutions, matrix
/// products and attention; element-wise work is not counted, as in torchvision's published figures.
class MultiplyAccumulates {
 public:
  MultiplyAccumulates();
  ~MultiplyAccumulates();
  MultiplyAccumulates(const MultiplyAccumulates&) = delete;
  MultiplyAccumulates& operator=(const MultiplyAccumulates&) = delete;
  std::int64_t count() const;

 private:
  at::CallbackHandle handle_;
};

}  // namespace bcx::check
