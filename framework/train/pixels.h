// Resident images and the one pass that turns them into a network's input: gather, affine warp,
// normalise.
#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "data/sample.h"

namespace bcx::train {

/// out = pixel / 255 * scale + shift, per RGB channel.
struct ChannelTransform {
  std::array<float, 3> scale{1, 1, 1}, shift{0, 0, 0};
  /// (x - mean) / std of x in [0, 1].
  static ChannelTransform normalise(const std::array<double, 3>& mean,
                                    const std::array<double, 3>& std);
};

/// The decoded images of a data set on a device: uint8 [M, H, W, 3].
///
/// On a CPU this is the view itself (heap or a mapped file; the owner must outlive this object); on
/// a GPU a copy in device memory when it fits half of what is free, else pages stay on the host and
/// each batch is copied.
class ResidentImages {
 public:
  ResidentImages(const data::PixelView& view, at::Device device);

  /// Images `indexes`, seen through `inverse`, as [N, 3, size, size] float32 channels-last.
  ///
  /// `inverse` [N, 2, 3] float32 maps an output position to a source position, both in output
  /// pixels from the picture's centre (sdk::Affine); undefined means identity. Bilinear; beyond the
  /// border the nearest pixel. A source of another size than `size` is scaled to it by the same
  /// pass. With the identity at the same size the pixels come out exactly.
  at::Tensor gather(std::span<const std::int64_t> indexes, const at::Tensor& inverse,
                    std::int64_t size, const ChannelTransform& transform) const;

  /// The images are gathered soon: those of a mapped file are fetched meanwhile.
  void read_ahead(std::span<const std::int64_t> indexes) const;

  at::Device device() const { return device_; }

 private:
  at::Tensor gather_cpu(std::span<const std::int64_t> indexes, const at::Tensor& inverse,
                        std::int64_t size, const ChannelTransform& transform) const;
  at::Tensor gather_kernel(std::span<const std::int64_t> indexes, const at::Tensor& inverse,
                           std::int64_t size, const ChannelTransform& transform) const;
  at::Tensor gather_device(std::span<const std::int64_t> indexes, const at::Tensor& inverse,
                           std::int64_t size, const ChannelTransform& transform) const;

  data::PixelView view_;
  at::Device device_;
  at::Tensor resident_;  // uint8 [M, H, W, 3] on the device; undefined when it stays on the host
};

}  // namespace bcx::train
