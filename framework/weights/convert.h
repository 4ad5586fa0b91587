// PyTorch checkpoints become safetensors, outside this process.
#pragma once

#include <filesystem>

namespace bcx::weights {

/// Runs tools/convert_weights (python3, its standard library; a restricted reader of pickles that
/// knows tensors alone) and opens the result once, strictly. Throws bcx::Error (data) with the
/// script's reason when `checkpoint` is none, asks for anything but tensors, or holds values that
/// are not finite.
void convert_checkpoint(const std::filesystem::path& checkpoint,
                        const std::filesystem::path& output);

}  // namespace bcx::weights
