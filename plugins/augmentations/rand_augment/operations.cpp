#include "operations.h"

#include "../pixels.h"

#include <numbers>

namespace auto_augment {
namespace {

using at::Tensor;

constexpr double top = 255.0;

/// [N, 3, 256] int64: how often each value occurs in each channel.
Tensor histograms(const Tensor& codes) {
  const std::int64_t n = codes.size(0);
  const auto row = at::arange(n * 3, codes.options()).view({n, 3, 1, 1}).mul_(256);
  const auto index = (codes + row).flatten();
  return at::zeros({n * 3 * 256}, codes.options())
      .scatter_add_(0, index, at::ones_like(index))
      .view({n, 3, 256});
}

/// torchvision's autocontrast as a table: the values that occur are spread over 0..255.
Tensor spread(const Tensor& counts, const Tensor& values) {
  const auto occurs = counts > 0;
  const auto low = at::where(occurs, values, top).amin(2, true);
  const auto high = at::where(occurs, values, 0.0).amax(2, true);
  const auto one_value = high == low;
  // 255 times the reciprocal: how torch divides a number by a tensor, to the bit.
  const auto scale = at::where(one_value, 1.0, (high - low).reciprocal() * top).to(at::kFloat);
  const auto from = at::where(one_value, 0.0, low).to(at::kFloat);
  return ((values - from) * scale).clamp_(0.0, top).floor_();
}

/// torchvision's equalize as a table; int64 arithmetic.
Tensor equalized(const Tensor& counts, const Tensor& values) {
  const auto code = at::arange(256, counts.options());
  const auto largest = at::where(counts > 0, code, 0).amax(2, true);
  const auto step = at::floor_divide(counts.sum(2, true) - counts.gather(2, largest), 255);
  const auto divisor = step.clamp_min(1);
  const auto below = counts.cumsum(2) - counts;  // of smaller values
  const auto table = at::floor_divide(below + at::floor_divide(divisor, 2), divisor);
  // In the table of value 0 torchvision has 0 whatever the step.
  const auto shifted = at::where(code == 0, 0, table).clamp_(0, 255).to(at::kFloat);
  return at::where(step == 0, values, shifted);
}

/// 3 x 3 mean with the centre counted five times, rounded; the border stays as it is.
Tensor smoothed(const Tensor& levels) {
  const std::int64_t h = levels.size(2) - 2, w = levels.size(3) - 2;
  auto result = levels.clone();
  if (h < 1 || w < 1) return result;
  auto sum = levels.narrow(2, 1, h).narrow(3, 1, w) * 4.0;
  for (std::int64_t y = 0; y < 3; ++y)
    for (std::int64_t x = 0; x < 3; ++x) sum.add_(levels.narrow(2, y, h).narrow(3, x, w));
  result.narrow(2, 1, h).narrow(3, 1, w).copy_(sum.mul_(1.0 / 13.0).round_());
  return result;
}

/// brightness, color, contrast, sharpness: factor * picture + (1 - factor) * degenerate picture.
Tensor blended(const Step& step, const Tensor& levels) {
  const auto is = [&](Operation operation) {
    return pixels::per_picture(step.operation == operation);
  };
  const auto grey = pixels::grey(levels).floor_();
  const auto count = static_cast<double>(levels.size(2) * levels.size(3));
  const auto mean =
      grey.to(at::kLong).sum({1, 2, 3}, true).to(at::kDouble).div_(count).to(at::kFloat);
  auto degenerate = at::where(is(contrast), mean, at::zeros_like(mean));
  degenerate = at::where(is(color), grey, degenerate);
  degenerate = at::where(is(sharpness), smoothed(levels), degenerate);

  const auto chosen = at::logical_and(step.operation >= brightness, step.operation <= sharpness);
  const auto change = pixels::per_picture(at::where(chosen, step.magnitude, 0.0));
  const auto factor = (change + 1.0).to(at::kFloat);
  const auto rest = (1.0 - (change + 1.0)).to(at::kFloat);
  return (levels * factor).add_(degenerate.mul_(rest)).clamp_(0.0, top).floor_();
}

/// posterize, solarize, auto_contrast, equalize: a table of 256 values for each channel.
Tensor looked_up(const Step& step, const Tensor& levels) {
  const auto is = [&](Operation operation) {
    return (step.operation == operation).view({-1, 1, 1});
  };
  const auto values = at::arange(256, levels.options()).view({1, 1, 256});
  const auto codes = levels.to(at::kLong);
  const auto counts = histograms(codes);
  const auto magnitude = step.magnitude.to(at::kFloat).view({-1, 1, 1});

  const auto coarse = at::exp2((8.0 - at::where(is(posterize), magnitude, 8.0)).to(at::kFloat));
  const auto kept = (values / coarse).floor_() * coarse;
  auto table = at::where(is(posterize), kept, values);
  table = at::where(at::logical_and(is(solarize), values >= magnitude), top - values, table);
  table = at::where(is(auto_contrast), spread(counts, values), table);
  table = at::where(is(equalize), equalized(counts, values), table);

  const std::int64_t n = levels.size(0);
  const auto row = at::arange(n * 3, codes.options()).view({n, 3, 1, 1}).mul_(256);
  return table.expand({n, 3, 256})
      .reshape(-1)
      .index_select(0, (codes + row).flatten())
      .view_as(levels);
}

}  // namespace

Tensor magnitudes(const Ranges& ranges, std::int64_t width, std::int64_t height) {
  const auto upto = [](double largest) { return at::linspace(0.0, largest, bins, at::kFloat); };
  const auto pixels = [&](std::int64_t side) {
    return upto(ranges.translate_pixels + ranges.translate_share * static_cast<double>(side))
        .trunc_();
  };
  const auto none = at::zeros({bins}, at::kFloat);
  const auto shear = upto(ranges.shear), factor = upto(ranges.factor);
  const double bins_a_bit = static_cast<double>(bins - 1) / ranges.bits;
  const auto bits = 8.0 - (at::arange(bins, at::kFloat) / bins_a_bit).round_();
  const auto threshold = at::linspace(255.0, 0.0, bins, at::kFloat);
  return at::stack({none, shear, shear, pixels(width), pixels(height), upto(ranges.rotate), factor,
                    factor, factor, factor, bits, threshold, none, none})
      .to(at::kDouble);
}

void compose(const Step& step, bcx::sdk::Affine& affine) {
  const auto magnitude = step.magnitude.to(at::kFloat);
  const auto when = [&](Operation operation) {
    return at::where(step.operation == operation, magnitude, 0.0).to(at::kFloat);
  };
  const auto half_width = static_cast<double>(affine.width()) / 2.0,
             half_height = static_cast<double>(affine.height()) / 2.0;
  const auto angle = when(rotate) * (std::numbers::pi / 180.0);
  const auto cosine = angle.cos(), sine = angle.sin();
  const auto x = when(shear_x), y = when(shear_y);
  affine.compose(at::stack({cosine, x - sine, x * half_height - when(translate_x), sine + y, cosine,
                            y * half_width - when(translate_y)},
                           1)
                     .view({-1, 2, 3}));
}

Tensor apply(const Step& step, const Tensor& levels) {
  return looked_up(step, blended(step, levels));
}

}  // namespace auto_augment
