// torchvision's 14 operations (RandAugment and TrivialAugmentWide share them), for a whole batch in
// which every sample has an operation of its own.
//
// Nothing here waits for the device or branches on a value: the geometric operations are one matrix
// for each sample; of the photometric ones, four blend the picture with a degenerate one and four
// look values up in a table for each channel, so that a step costs one blend and one look-up for
// all samples, whichever operations they have.
#pragma once

#include <ATen/core/Tensor.h>
#include <bcx/sdk/augmentation.h>

namespace auto_augment {

/// In torchvision's order. The geometric ones stand together.
enum Operation : std::int64_t {
  identity,
  shear_x,
  shear_y,
  translate_x,
  translate_y,
  rotate,
  brightness,
  color,
  contrast,
  sharpness,
  posterize,
  solarize,
  auto_contrast,
  equalize
};
inline constexpr std::int64_t operation_count = 14;

/// The largest magnitude of each kind of operation.
struct Ranges {
  double shear, rotate, factor;
  double bits;                  ///< that posterize takes away
  double translate_pixels = 0;  ///< absolute, or
  double translate_share = 0;   ///< of the picture's side
};
inline constexpr Ranges rand_augment_ranges{
    .shear = 0.3, .rotate = 30.0, .factor = 0.9, .bits = 4.0, .translate_share = 150.0 / 331.0};
inline constexpr Ranges trivial_augment_ranges{
    .shear = 0.99, .rotate = 135.0, .factor = 0.99, .bits = 6.0, .translate_pixels = 32.0};

/// torchvision's default: bins into which each range is divided.
inline constexpr std::int64_t bins = 31;

/// [14, bins] float64 on the host, as Step::magnitude but without signs: torchvision's
/// _augmentation_space, rounded to float32 where that is.
at::Tensor magnitudes(const Ranges& ranges, std::int64_t width, std::int64_t height);

/// What one step does to each sample.
struct Step {
  at::Tensor operation;  ///< [N] int64
  /// [N] float64: shear_*: tangent; translate_*: pixels; rotate: degrees, counter-clockwise;
  /// brightness to sharpness: factor - 1 (all up to here of either sign); posterize: bits that are
  /// kept; solarize: threshold of 255.
  at::Tensor magnitude;
};

/// The geometric part: shears about the upper left corner, as torchvision does; identity for all
/// other operations.
void compose(const Step& step, bcx::sdk::Affine& affine);

/// The photometric part, on 8-bit values as torchvision's uint8 tensors have them. `levels` [N, 3,
/// H, W] float32 holds integers from 0 to 255; the result too. With sums and products in the order
/// of torchvision's functional API: equal to the bit.
at::Tensor apply(const Step& step, const at::Tensor& levels);

}  // namespace auto_augment
