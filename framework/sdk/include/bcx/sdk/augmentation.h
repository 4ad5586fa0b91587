// The augmentation interface: a pure function of (images, draws).
//
// Per batch and augmentation the host calls what capabilities() names:
//
//     affine = identity
//     for a in augmentations: if compose: a.compose(draws(a), affine)      # geometric, on matrices
//     images = warp(gather(resident pixels, indices), affine)              # once, bilinear, float
//     [0,1] for a in augmentations: if apply:   images = a.apply(images, draws(a))   # photometric
//     images = normalise(images)
//     for a in augmentations: if mix:     a.mix(batch, draws(a))           # sees targets
//
// draws(a) starts at the beginning of a's stream each time: one that composes and applies (a random
// choice among geometric and photometric operations) sees the same numbers in both, and so makes
// the same choice twice.
#pragma once

#include <ATen/core/Tensor.h>

#include "bcx/sdk/draws.h"

namespace bcx::sdk {

/// A batch of planar affine maps, composed by the augmentations in the file's order and applied by
/// the host in a single warp.
///
/// Each operation acts on the picture as the words say ("rotate by +10 degrees turns it
/// counter-clockwise"). Per-sample arguments are [N] float32 tensors on the batch's device.
/// Coordinates have their origin in the picture's centre, x to the right, y down, unit 1 pixel.
class Affine {
 public:
  /// Identity for `n` pictures of height x width pixels.
  Affine(std::int64_t n, std::int64_t height, std::int64_t width, at::Device device);

  void rotate(const at::Tensor& degrees);                    ///< counter-clockwise
  void scale(const at::Tensor& x, const at::Tensor& y);      ///< > 1 enlarges what is shown
  void translate(const at::Tensor& x, const at::Tensor& y);  ///< shares of width and height
  void shear(const at::Tensor& x_degrees,
             const at::Tensor& y_degrees);  ///< below 90, as torchvision
  void flip(const at::Tensor& horizontal, const at::Tensor& vertical);  ///< [N] bool
  /// The general step: new picture(p) = old picture(m p), with m [N, 2, 3] in the coordinates
  /// above.
  void compose(const at::Tensor& inverse);

  /// [N, 2, 3] float32: output position (x, y, 1) -> position in the source picture.
  const at::Tensor& inverse() const { return inverse_; }
  std::int64_t size() const { return inverse_.size(0); }
  std::int64_t height() const { return height_; }
  std::int64_t width() const { return width_; }
  at::Device device() const { return inverse_.device(); }

 private:
  at::Tensor inverse_;
  std::int64_t height_, width_;
};

/// What mix() may change.
struct Batch {
  at::Tensor images;   ///< [N, 3, H, W] float32, normalised
  at::Tensor targets;  ///< [N, K] float32, rows sum to 1 (one-hot unless mixed)
};

/// Base of all augmentations. Objects are shared by all epochs and immutable after construction;
/// the host calls them from one thread at a time. Inputs must not be changed in place: apply()
/// returns a new tensor (or the input itself when there is nothing to do).
class Augmentation {
 public:
  enum Capability : unsigned { composes = 1, applies = 2, mixes = 4 };
  virtual ~Augmentation() = default;

  /// Which of the functions below this augmentation has, as an OR of Capability.
  virtual unsigned capabilities() const = 0;

  virtual void compose(Draws&, Affine&) const {}
  /// images [N, 3, H, W] float32 in [0, 1], before normalisation; the result too.
  virtual at::Tensor apply(const at::Tensor& images, Draws&) const { return images; }
  virtual void mix(Batch&, Draws&) const {}
};

}  // namespace bcx::sdk
