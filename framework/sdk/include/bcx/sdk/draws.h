// Random numbers for augmentations: a pure function of (run seed, component, epoch, sample).
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

namespace bcx::sdk {

/// The numbers that one augmentation sees for one batch. Each sample has a stream of its own, so
/// that neither batch size, nor thread count, nor device, nor the point of a resume changes what
/// happens to a picture.
///
/// Made by the host for each call of an augmentation; consecutive calls hand out consecutive
/// numbers of each sample's stream. A copy goes on from where the original stands. One thread.
class Draws {
 public:
  /// `purpose` names the component's instance, for instance "augmentation.rotate#2".
  Draws(std::uint64_t seed, std::string purpose, std::uint64_t epoch,
        std::vector<std::uint64_t> sample_ids, at::Device device);

  /// [N, k] float32 on the batch's device, uniform in [0, 1), the same bits on every device.
  at::Tensor uniform(std::int64_t k);

  /// [N, shape...] float32 on the batch's device, uniform in [0, 1), generated there: for noise,
  /// where a table would be too large. The same bits on every device.
  at::Tensor field(at::IntArrayRef shape);

  std::int64_t size() const { return static_cast<std::int64_t>(sample_ids_.size()); }
  at::Device device() const { return device_; }

 private:
  std::uint64_t seed_;
  std::string purpose_;
  std::uint64_t epoch_;
  std::vector<std::uint64_t> sample_ids_;
  at::Device device_;
  std::uint64_t drawn_ = 0;   // numbers handed out by uniform(), per sample
  std::uint64_t fields_ = 0;  // fields generated so far; each has a stream of its own
};

}  // namespace bcx::sdk
