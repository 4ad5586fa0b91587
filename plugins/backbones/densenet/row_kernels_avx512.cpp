#include "row_kernels.inc"
#include "row_kernels_generations.h"

namespace densenet {
const Generation kAvx512{kKernels<Bfloat16>, kKernels<float>, kKernels<double>};
}  // namespace densenet
