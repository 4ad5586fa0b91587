// Which convolutions and matrix products a network calls, and what each has to compute and to move.
#pragma once

#include <ATen/record_function.h>

#include <cstdint>
#include <vector>

namespace bcx::model {

/// One convolution, matrix product or attention.
struct Product {
  std::int64_t multiply_accumulates = 0;
  /// Elements of operands and result, each once; a convolution's or a layer's weights apart, since
  /// their number does not grow with the batch.
  std::int64_t activations = 0, weights = 0;
};

/// Records what is called on this thread while it lives; one at a time. Element-wise work is not
/// recorded, as in torchvision's published figures.
class ProductTrace {
 public:
  ProductTrace();
  ~ProductTrace();
  ProductTrace(const ProductTrace&) = delete;
  ProductTrace& operator=(const ProductTrace&) = delete;
  const std::vector<Product>& products() const;
  std::int64_t multiply_accumulates() const;  ///< of all

 private:
  at::CallbackHandle handle_;
};

}  // namespace bcx::model
