// What an experiment says about single parameters: factors of the learning rate and of the weight
// decay, by name.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "config/experiment.h"
#include "model/parameters.h"

namespace bcx::model {

/// Of one parameter.
struct Multipliers {
  double learning_rate = 1.0, weight_decay = 1.0;
  bool operator==(const Multipliers&) const = default;
};

/// One for each parameter, in their order: the product of
///
///     layer_decay ^ (layers above it, the head's counted)    Clark et al. 2020 (ELECTRA), Bao et
///     al.
///                                                            2022 (BEiT); see layers_of()
///     head_multiplier, for the head
///     no_decay = "norm_and_bias": weight decay 0 for parameters of at most one dimension and for
///                biases, timm's rule (`param_groups_weight_decay`)
///     each [[optimizer.group]] whose pattern matches the name
///
/// Throws bcx::Error (usage) for a pattern that matches nothing, naming the nearest parameter.
std::vector<Multipliers> multipliers(const config::ParameterGroupsConfig& config,
                                     std::span<const Entry> parameters);

/// The layer of each parameter, counted from 0 at the image; the head is the last one.
///
/// A layer is what shares a name up to its first part with a digit: `backbone.layer1`,
/// `backbone.features.denseblock2`, `backbone.encoder.layers.encoder_layer_3`. What has no digit
/// belongs to the layer before it, or to the first; so does a layer of vectors only (a
/// normalisation).
std::vector<int> layers_of(std::span<const Entry> parameters);

/// `bcx check --model`: one line for each kind of parameters, when there is more than one;
/// otherwise empty.
std::string multipliers_text(std::span<const Multipliers> multipliers,
                             std::span<const Entry> parameters, double learning_rate);

}  // namespace bcx::model
