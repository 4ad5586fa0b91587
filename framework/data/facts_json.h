// ImageFacts and strict JSON fields, shared by the cache and the pack.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "data/sample.h"

namespace bcx::data {

/// Parses `text`, an object. Throws bcx::Error (data) without a place when it is none.
nlohmann::json parse_object(std::string_view text);

/// Fields of `object` by name and type; a missing one or one of another type throws bcx::Error
/// (data) that names it.
const nlohmann::json& array_field(const nlohmann::json& object, const char* name);
std::string text_field(const nlohmann::json& object, const char* name);
/// In [0, most].
std::int64_t count_field(const nlohmann::json& object, const char* name, std::int64_t most);
std::vector<std::string> texts_field(const nlohmann::json& object, const char* name);

/// `[width, height, "pixel hash", "perceptual hash", "note"]`, hashes as 16 hex digits: JSON's
/// numbers are doubles elsewhere.
nlohmann::json facts_to_json(const ImageFacts& facts);
ImageFacts facts_from_json(const nlohmann::json& json);

/// The text of `json`. Throws bcx::Error (data) when a string in it is not UTF-8.
std::string dump(const nlohmann::json& json);

}  // namespace bcx::data
