// A picture's two stains, estimated from its pixels (Macenko et al., "A method for normalizing
// histology slides for quantitative analysis", 2009), step by step as PyPI's torchstain computes it
// with numpy, in float64.
//
//     optical density   D = -ln((pixel + 1) / light)
//     tissue            pixels with D >= beta in all three channels
//     plane             of the two largest eigenvectors of the tissue's covariance
//     stains            the directions at percentile alpha and 100 - alpha of the tissue's angles
//     in
//                       that plane; the one with more red absorption is haematoxylin
//     concentrations    C = least squares of D over the stains; strength: their 99th percentiles
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace macenko {

struct Rule {
  double light = 240;  ///< the value of unstained glass
  double alpha = 1;    ///< percentile
  double beta = 0.15;  ///< optical density below which a pixel is glass
};

using Vector = std::array<double, 3>;

/// Haematoxylin first, eosin second.
struct Stains {
  std::array<Vector, 2> direction;  ///< absorption of R, G, B; unit length
  std::array<double, 2> strength;   ///< 99th percentile of the concentration
};

/// Either the stains or why there are none:
///   "blank"       fewer than 10 tissue pixels, or less than one in a hundred
///   "one colour"  the two directions are less than half a degree apart (grey, saturated)
///   "one stain"   no concentration to speak of of one of them
struct Estimate {
  Stains stains;
  std::string problem;
};

/// rgb: [pixels, 3] uint8. Total: any pixels whatever, none included.
Estimate estimate(std::span<const std::uint8_t> rgb, const Rule& rule);

/// Moves the pixels from the stains `from` to `to`, in place: each concentration is scaled by the
/// ratio of the strengths, then the light is let through `to`'s directions.
void transfer(std::span<std::uint8_t> rgb, const Stains& from, const Stains& to, const Rule& rule);

}  // namespace macenko
