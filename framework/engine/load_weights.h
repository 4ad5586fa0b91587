// Published weights into a backbone.
#pragma once

#include <filesystem>
#include <string>

#include "model/classifier.h"
#include "model/parameters.h"

namespace bcx::engine {

/// Fills the backbone's parameters and statistics from a safetensors file, by name. The file's
/// classifier is left out unless the model has it. Returns the report's one line. Throws bcx::Error
/// (data) listing what is missing, unexpected or of another shape, and for values that are not
/// finite.
std::string load_weights(const std::filesystem::path& file,
                         const model::FlatParameters& parameters);

}  // namespace bcx::engine
