// Draws one synthetic H&E-like field of view.
#pragma once

#include <array>

#include "base/philox.h"
#include "data/images.h"

namespace bcx::data::images {

/// What a picture shows. The class speaks through `severity` alone; everything else is the patient.
struct Tissue {
  /// 0: round glands with open lumina, small, even, round nuclei in one layer. 1: no glands; large,
  /// uneven, irregular, crowded nuclei. Not limited to 0..1.
  double severity = 0;
  double nucleus_scale = 1;  ///< of the nuclei's radius
  /// Optical densities of unit concentration in R, G, B (Beer-Lambert: I = 255 exp(-density)).
  std::array<double, 3> haematoxylin{}, eosin{};
  double haematoxylin_amount = 0.3, eosin_amount = 0.3;  ///< mean concentrations over the picture
  double fibre_angle = 0;                                ///< of the stroma, radians
  double fibre_length = 8, fibre_width = 2;              ///< pixels at a width of 175
  double fibre_contrast = 0.3;
};

/// A pure function of its arguments. Concentrations are scaled so that their mean over the picture
/// is what `tissue` says: structure does not show in the mean colour.
Image draw_tissue(const Tissue& tissue, int width, int height, const Stream& stream);

}  // namespace bcx::data::images
