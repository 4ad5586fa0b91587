#include "row_kernels.h"

#include "row_kernels_generations.h"

namespace densenet {
namespace {

const Generation& this_processors() {
#if defined(__x86_64__)
  static const Generation& chosen =
      __builtin_cpu_supports("avx512bf16")                              ? kAvx512
      : __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? kAvx2
                                                                        : kBase;
  return chosen;
#else
  return kBase;
#endif
}

}  // namespace

template <>
const RowKernels<Bfloat16>& row_kernels() {
  return this_processors().of_bfloat16;
}
template <>
const RowKernels<float>& row_kernels() {
  return this_processors().of_float;
}
template <>
const RowKernels<double>& row_kernels() {
  return this_processors().of_double;
}

}  // namespace densenet
