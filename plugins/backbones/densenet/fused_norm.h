// Batch normalisation and relu of a map on a CPU, with or without the 2 x 2 average pooling after
// it, as one operation: nothing but its result and its input is kept.
#pragma once

#include <bcx/sdk/nn.h>

#include "map_rows.h"

namespace densenet {

/// relu(norm(x)) of x [N, C, H, W], with `pool` 2 averaged over 2 x 2 pixels (H and W even).
/// `statistics`: of x, where they are known already. Undefined where the operation does not serve:
/// see can_fuse(), and a frozen normalisation that is differentiated through.
at::Tensor fused_norm_relu(const bcx::sdk::BatchNorm2d& norm, const at::Tensor& x,
                           const Statistics& statistics, int pool);

}  // namespace densenet
