#include "matrix.h"

#include <ATen/Parallel.h>
#include <ATen/native/CPUBlas.h>

#include <algorithm>
#include <vector>

namespace densenet {
namespace {

const at::BFloat16* as_aten(const Bfloat16* values) {
  return reinterpret_cast<const at::BFloat16*>(values);
}

template <typename Work>
void each_panel(std::int64_t channels, const Work& work) {
  at::parallel_for(0, (channels + kPanel - 1) / kPanel, 1,
                   [&](std::int64_t begin, std::int64_t end) {
                     for (std::int64_t i = begin; i < end; ++i)
                       work(i * kPanel, std::min(kPanel, channels - i * kPanel));
                   });
}

}  // namespace

template <>
bool can_multiply<float>() {
  return true;
}
template <>
bool can_multiply<double>() {
  return true;
}
template <>
void multiply<Bfloat16>(std::int64_t m, std::int64_t n, std::int64_t k, const Bfloat16* a,
                        std::int64_t lda, const Bfloat16* b, std::int64_t ldb, float* c,
                        std::int64_t ldc, bool add) {
  at::native::cpublas::brgemm(m, n, k, lda, ldb, ldc, add, as_aten(a), as_aten(b), c,
                              /*is_vnni=*/true);
}

template <>
void multiply<float>(std::int64_t m, std::int64_t n, std::int64_t k, const float* a,
                     std::int64_t lda, const float* b, std::int64_t ldb, float* c, std::int64_t ldc,
                     bool add) {
  at::native::cpublas::brgemm(m, n, k, lda, ldb, ldc, add, a, b, c);
}

template <>
void multiply<double>(std::int64_t m, std::int64_t n, std::int64_t k, const double* a,
                      std::int64_t lda, const double* b, std::int64_t ldb, double* c,
                      std::int64_t ldc, bool add) {
  // Float64 is for tests.
  for (std::int64_t i = 0; i < m; ++i) {
    if (!add) std::fill_n(c + i * ldc, n, 0.0);
    for (std::int64_t l = 0; l < k; ++l)
      for (std::int64_t j = 0; j < n; ++j) c[i * ldc + j] += a[i * lda + l] * b[l * ldb + j];
  }
}

template <>
void end_multiplications<Bfloat16>() {
  at::native::cpublas::brgemm_release(/*is_vnni=*/true);
}
template <>
void end_multiplications<float>() {
  at::native::cpublas::brgemm_release(/*is_vnni=*/false);
}
template <>
void end_multiplications<double>() {}

namespace {

bool multiplies_bfloat16() {
  alignas(64) Bfloat16 a[2 * 32]{}, b[32 * 16]{};
  alignas(64) float c[2 * 16];
  try {
    multiply<Bfloat16>(2, 16, 32, a, 32, b, 16, c, 16, false);
    end_multiplications<Bfloat16>();
    return true;
  } catch (const c10::Error&) {
    return false;  // LibTorch refuses pairs of rows where oneDNN has no kernel for them
  }
}

}  // namespace

template <>
bool can_multiply<Bfloat16>() {
  static const bool can = multiplies_bfloat16();
  return can;
}

template <typename T>
void pack_for_forward(const Accumulate<T>* weight, std::int64_t outputs, std::int64_t channels,
                      T* packed) {
  const Rows<const Accumulate<T>> rows{weight, channels};
  each_panel(channels, [&](std::int64_t c, std::int64_t width) {
    row_kernels<T>().write_transposed_factor(rows.from(0, c), {outputs, width},
                                             packed + c * outputs, outputs);
  });
}

template <typename T>
void pack_for_backward(const Accumulate<T>* weight, std::int64_t outputs, std::int64_t channels,
                       T* packed) {
  const Rows<const Accumulate<T>> rows{weight, channels};
  each_panel(channels, [&](std::int64_t c, std::int64_t width) {
    row_kernels<T>().write_factor(rows.from(0, c), {outputs, width}, packed + c * outputs, kPanel);
  });
}

template void pack_for_forward<Bfloat16>(const float*, std::int64_t, std::int64_t, Bfloat16*);
template void pack_for_forward<float>(const float*, std::int64_t, std::int64_t, float*);
template void pack_for_forward<double>(const double*, std::int64_t, std::int64_t, double*);
template void pack_for_backward<Bfloat16>(const float*, std::int64_t, std::int64_t, Bfloat16*);
template void pack_for_backward<float>(const float*, std::int64_t, std::int64_t, float*);
template void pack_for_backward<double>(const double*, std::int64_t, std::int64_t, double*);

}  // namespace densenet
