#include "train/pixels.h"

#include <ATen/Parallel.h>
#include <torch/types.h>

#include "data/read_ahead.h"
#include "train/cuda_services.h"
#include "train/device.h"
#include "train/pixel_kernels.h"
#include "train/pixel_rows.h"

namespace bcx::train {
namespace {

PixelScale scale_of(const ChannelTransform& transform) {
  PixelScale to;
  for (std::size_t c = 0; c < 3; ++c) {
    to.scale[c] = transform.scale[c] / 255.0f;
    to.shift[c] = transform.shift[c];
  }
  return to;
}

at::Tensor index_tensor(std::span<const std::int64_t> indexes) {
  return at::tensor(at::ArrayRef<std::int64_t>(indexes.data(), indexes.size()), at::kLong);
}

}  // namespace

ChannelTransform ChannelTransform::normalise(const std::array<double, 3>& mean,
                                             const std::array<double, 3>& std) {
  ChannelTransform t;
  for (std::size_t c = 0; c < 3; ++c) {
    t.scale[c] = static_cast<float>(1.0 / std[c]);
    t.shift[c] = static_cast<float>(-mean[c] / std[c]);
  }
  return t;
}

ResidentImages::ResidentImages(const data::PixelView& view, at::Device device)
    : view_(view), device_(device) {
  if (device.is_cpu()) return;
  const auto host = at::from_blob(const_cast<std::uint8_t*>(view.data),
                                  {view.count, view.height, view.width, 3}, at::kByte);
  if (host.nbytes() <= free_device_memory(device) / 2) resident_ = host.to(device);
}

void ResidentImages::read_ahead(std::span<const std::int64_t> indexes) const {
  if (!resident_.defined()) data::read_ahead(view_, indexes);
}

at::Tensor ResidentImages::gather(std::span<const std::int64_t> indexes, const at::Tensor& inverse,
                                  std::int64_t size, const ChannelTransform& transform) const {
  return device_.is_cpu() ? gather_cpu(indexes, inverse, size, transform)
                          : gather_device(indexes, inverse, size, transform);
}

at::Tensor ResidentImages::gather_cpu(std::span<const std::int64_t> indexes,
                                      const at::Tensor& inverse, std::int64_t size,
                                      const ChannelTransform& transform) const {
  const auto count = static_cast<std::int64_t>(indexes.size());
  const auto out = at::empty(
      {count, 3, size, size},
      at::TensorOptions().dtype(at::kFloat).memory_format(at::MemoryFormat::ChannelsLast));
  static constexpr float identity[6] = {1, 0, 0, 0, 1, 0};
  const auto matrices = inverse.defined() ? inverse.contiguous() : at::Tensor{};
  const float* m = matrices.defined() ? matrices.const_data_ptr<float>() : nullptr;
  float* first = out.data_ptr<float>();
  at::parallel_for(0, count * size, size, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      const std::int64_t n = row / size, y = row % size;
      const RowTarget target{first + n * size * size * 3, size, scale_of(transform)};
      const auto map = over_indexes(m ? m + 6 * n : identity, size, view_.height, view_.width);
      const std::uint8_t* source = view_.image(indexes[static_cast<std::size_t>(n)]);
      if (map.identity() && view_.width == size && view_.height == size)
        convert_row(source, y, target);
      else
        warp_row(source, view_.height, view_.width, map, y, target);
    }
  });
  return out;
}

at::Tensor ResidentImages::gather_kernel(std::span<const std::int64_t> indexes,
                                         const at::Tensor& inverse, std::int64_t size,
                                         const ChannelTransform& transform) const {
  const auto count = static_cast<std::int64_t>(indexes.size());
  const auto out =
      at::empty({count, 3, size, size}, at::TensorOptions()
                                            .dtype(at::kFloat)
                                            .device(device_)
                                            .memory_format(at::MemoryFormat::ChannelsLast));
  const auto which = index_tensor(indexes).to(device_, true);
  const auto matrices = inverse.defined() ? inverse.contiguous() : at::Tensor{};
  cuda_services().gather(
      device_.index(), {.pixels = resident_.const_data_ptr<std::uint8_t>(),
                        .indexes = which.const_data_ptr<std::int64_t>(),
                        .inverse = matrices.defined() ? matrices.const_data_ptr<float>() : nullptr,
                        .out = out.data_ptr<float>(),
                        .count = count,
                        .height = view_.height,
                        .width = view_.width,
                        .size = size,
                        .to = scale_of(transform)});
  return out;
}

at::Tensor ResidentImages::gather_device(std::span<const std::int64_t> indexes,
                                         const at::Tensor& inverse, std::int64_t size,
                                         const ChannelTransform& transform) const {
  if (resident_.defined() && cuda_services().gather)
    return gather_kernel(indexes, inverse, size, transform);
  at::Tensor batch;
  if (resident_.defined()) {
    batch = resident_.index_select(0, index_tensor(indexes).to(device_, true));
  } else {
    const auto host = at::from_blob(const_cast<std::uint8_t*>(view_.data),
                                    {view_.count, view_.height, view_.width, 3}, at::kByte);
    batch = host.index_select(0, index_tensor(indexes)).to(device_, true);
  }
  auto images = batch.permute({0, 3, 1, 2}).to(at::kFloat);
  if (inverse.defined() || view_.width != size || view_.height != size) {
    const auto theta = inverse.defined()
                           ? inverse.clone()
                           : at::eye(2, 3, images.options()).expand({images.size(0), 2, 3}).clone();
    // Centred pixels -> [-1, 1]: the linear part is free of units for squares, translation is not.
    theta.select(2, 2).mul_(2.0 / static_cast<double>(size));
    const auto grid = at::affine_grid_generator(theta, {images.size(0), 3, size, size}, false);
    images = at::grid_sampler_2d(images, grid, /*bilinear*/ 0, /*border*/ 1, false);
  }
  const auto options = images.options();
  const auto scale =
      at::tensor(at::ArrayRef<float>(transform.scale), options.device(at::kCPU)).to(device_, true);
  const auto shift =
      at::tensor(at::ArrayRef<float>(transform.shift), options.device(at::kCPU)).to(device_, true);
  return (images * (scale / 255.0).view({1, 3, 1, 1}) + shift.view({1, 3, 1, 1}))
      .contiguous(at::MemoryFormat::ChannelsLast);
}

}  // namespace bcx::train
