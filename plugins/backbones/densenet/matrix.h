// Products of small matrices that stay in a core's cache: the 1x1 convolution of a few rows.
//
// Rounded to T are the factors; the product is Accumulate<T>. A left factor is row-major. A right
// factor [K][N] is row-major too, but for bfloat16, whose rows lie in pairs: element (k, n) at
// [k / 2][n][k % 2], as the processor's dot products of pairs want them (oneDNN's "VNNI" layout).
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "row_kernels.h"

namespace densenet {

/// Columns (or, of a left factor, the summed index) that are worked on at once: bounds the kernels
/// that oneDNN generates, one for each shape, and keeps a product of 100 rows in the second cache.
inline constexpr std::int64_t kPanel = 256;

/// Whether multiply<T>() is fast here: always, but for bfloat16 on processors without it.
template <typename T>
bool can_multiply();

/// c [m, n] = a [m, k] b [k, n], or with `add` c + a b. `ld*` are the distances between rows, of b
/// as if it were row-major. k is even for bfloat16.
template <typename T>
void multiply(std::int64_t m, std::int64_t n, std::int64_t k, const T* a, std::int64_t lda,
              const T* b, std::int64_t ldb, Accumulate<T>* c, std::int64_t ldc, bool add);

/// To be called on a thread after its last multiply<T>(): gives back what the processor keeps for
/// it.
template <typename T>
void end_multiplications();

/// A weight [outputs, channels] of Accumulate<T> as right factor of x W^T: panels of kPanel
/// channels, each [kPanel][outputs], one after the other. T's size per element of the weight.
template <typename T>
void pack_for_forward(const Accumulate<T>* weight, std::int64_t outputs, std::int64_t channels,
                      T* packed);

/// As right factor of y W: panels of kPanel columns, each [outputs][kPanel] (the last one too: room
/// for channels rounded up to kPanel is needed).
template <typename T>
void pack_for_backward(const Accumulate<T>* weight, std::int64_t outputs, std::int64_t channels,
                       T* packed);

}  // namespace densenet
