// Haematoxylin, eosin and DAB as scikit-image's rgb2hed separates them.
#pragma once

#include <ATen/core/Tensor.h>

namespace hed {

/// Colours [N, 3, H, W] in [0, 1] -> amounts of haematoxylin, eosin and DAB, the same shape.
///
///     stains = max(0, log(max(rgb, 1e-6)) / log(1e-6) . inverse(M))
///
/// with the rows of M the stains' absorption of R, G and B (Ruifrok, Johnston, "Quantification of
/// histochemical staining by color deconvolution", 2001). scikit-image's rgb2hed.
at::Tensor from_rgb(const at::Tensor& rgb);

/// Colours whose stains have grown by `change` [N, 3, 1, 1] or [N, 3, H, W]: their logarithms move
/// by log(1e-6) change . M, and what no mixture of the stains explains stays as it is. In [0, 1].
/// Where all stains of a colour are above zero this is scikit-image's hed2rgb(rgb2hed(rgb) +
/// change).
at::Tensor changed(const at::Tensor& rgb, const at::Tensor& change);

}  // namespace hed
