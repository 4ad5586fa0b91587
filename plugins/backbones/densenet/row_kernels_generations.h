// The tables that row_kernels() chooses from; those for x86 exist there alone.
#pragma once

#include "row_kernels.h"

namespace densenet {

struct Generation {
  RowKernels<Bfloat16> of_bfloat16;
  RowKernels<float> of_float;
  RowKernels<double> of_double;
};

extern const Generation kBase;    ///< any processor
extern const Generation kAvx2;    ///< AVX2 and FMA
extern const Generation kAvx512;  ///< AVX-512 F, BW, DQ, VL and BF16

}  // namespace densenet
