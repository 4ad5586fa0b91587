// A CUDA graph as recorded work; part of libbcx_cuda.so.
#pragma once

#include "train/recorded_work.h"

namespace bcx::train {

/// RecordWork for one GPU, on a stream of its own. Needs as much memory for the record as the steps
/// so far took beside what stayed allocated, and the same again for the steps that are not
/// replayed; throws bcx::Error (device) when that much is not free.
std::unique_ptr<RecordedWork> record_graph(int device, const std::function<void()>& work,
                                           std::span<const at::Generator> generators);

}  // namespace bcx::train
