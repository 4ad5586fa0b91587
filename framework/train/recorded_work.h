// Work that a device recorded once and runs again at one word: a CUDA graph, seen from code that
// needs nothing of CUDA.
#pragma once

#include <ATen/core/Generator.h>

#include <functional>
#include <memory>
#include <span>

namespace bcx::train {

/// Operations on fixed addresses, ready to run again. One thread.
class RecordedWork {
 public:
  virtual ~RecordedWork() = default;

  /// Submits all of it after what the device was given before; waits for nothing. What it draws
  /// from the generators that it was recorded with starts at their seeds of now.
  virtual void replay() = 0;
};

/// Calls `work` once while the device writes down what it is asked for instead of doing it, and
/// gives that. Memory that `work` allocates stays the record's; tensors that it leaves behind hold
/// what the latest replay computed.
///
/// `work` may draw from `generators` alone, must not seed them, and must not wait for the device or
/// copy from the host. Throws what `work` throws and what the device refuses to write down; nothing
/// is left behind then but autograd's gradients, of undefined values.
using RecordWork = std::function<std::unique_ptr<RecordedWork>(
    const std::function<void()>& work, std::span<const at::Generator> generators)>;

}  // namespace bcx::train
