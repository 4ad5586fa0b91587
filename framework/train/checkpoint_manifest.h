// What a checkpoint says of the run's loop, beside the tensors: the metadata `bcx.checkpoint`.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "weights/safetensors.h"

namespace bcx::train {

inline constexpr int checkpoint_format = 2;

/// Whether a checkpoint may be called so: it becomes a file's name in the run's folder. Letters,
/// digits, `.`, `-`, `_`, at most 64, no dot and no `last-` at the start.
bool is_checkpoint_tag(std::string_view tag);

/// A number as a manifest holds it, in text: JSON has no infinities. 0 for what is no number.
double number_of(std::string_view text);

/// A checkpoint's manifest from its JSON text, hostile until checked: everything in it that
/// TrainLoop::load_state() reads is there, of its type and within its range (counts in 0 .. 2^53).
/// `where` names the file in errors. Throws bcx::Error (data) when it is damaged, or when its
/// format is another.
nlohmann::json parse_manifest(std::string_view text, const std::string& where);

/// The manifest of a checkpoint file. Throws as parse_manifest(), naming the file, and when there
/// is none.
nlohmann::json read_manifest(const weights::SafetensorsFile& file);

}  // namespace bcx::train
