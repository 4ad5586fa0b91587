#include "train/checkpoint_manifest.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/error.h"
#include "base/text.h"

namespace bcx::train {
namespace {

using nlohmann::json;

bool is_count(const json& value) {
  return value.is_number_integer() && value >= 0 && value <= std::int64_t{1} << 53;
}
bool is_number(const json& value) {
  return value.is_number() && std::isfinite(value.get<double>());
}
bool is_boolean(const json& value) {
  return value.is_boolean();
}
bool is_text(const json& value) {
  return value.is_string();
}
bool all_texts(const json& value) {
  return std::all_of(value.begin(), value.end(), is_text);
}
bool is_list(const json& value) {
  return value.is_array() && all_texts(value);
}
bool is_map(const json& value) {
  return value.is_object() && all_texts(value);
}
bool is_tag(const json& value) {
  return is_text(value) && is_checkpoint_tag(value.get_ref<const std::string&>());
}
bool is_tag_or_none(const json& value) {
  return value == "" || is_tag(value);
}

/// As TrainLoop::state() writes what callbacks asked for.
bool is_request(const json& value) {
  return value.is_object() && is_tag(value.value("tag", json())) &&
         is_text(value.value("monitor", json())) && is_boolean(value.value("best", json())) &&
         (!value.contains("value") || is_text(value["value"]));
}
bool is_interrupted_validation(const json& value) {
  if (!value.is_object()) return false;
  const auto metrics = value.value("metrics", json()), wanted = value.value("checkpoints", json()),
             unwanted = value.value("removed", json());
  return is_map(metrics) && wanted.is_array() && unwanted.is_array() &&
         std::all_of(wanted.begin(), wanted.end(), is_request) &&
         std::all_of(unwanted.begin(), unwanted.end(), is_tag);
}

struct Field {
  const char* key;
  bool (*fits)(const json&);
  bool optional = false;
};

constexpr Field fields[] = {{"epoch", is_count},
                            {"samples", is_count},
                            {"step", is_count},
                            {"batch_size", is_count},
                            {"epochs", is_count},
                            {"epoch_batch_size", is_count},
                            {"learning_rate", is_number},
                            {"horizon", is_number},
                            {"stop", is_boolean},
                            {"frozen_by_callback", is_boolean},
                            {"stop_reason", is_text},
                            {"best_tag", is_tag_or_none},
                            {"precision", is_text},
                            {"frozen", is_list},
                            {"callbacks", is_map},
                            {"roll_backs", is_count, true},
                            {"skipped_in_a_row", is_count, true},
                            {"overflows_in_a_row", is_count, true},
                            {"parts", is_count, true},
                            {"validating", is_interrupted_validation, true},
                            {"preprocess", is_map, true}};

/// A file whose bytes changed may still be JSON.
void require_fields(const json& manifest, const std::string& where) {
  for (const auto& field : fields) {
    const auto found = manifest.find(field.key);
    if (found == manifest.end() ? field.optional : field.fits(*found)) continue;
    throw Error(
        ExitCode::data,
        {fmt::format("its manifest is damaged: \"{}\" is missing or of another type", field.key),
         where, ""});
  }
}

}  // namespace

bool is_checkpoint_tag(std::string_view tag) {
  constexpr std::string_view allowed =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
  return !tag.empty() && tag.size() <= 64 && tag.front() != '.' && !tag.starts_with("last-") &&
         tag.find_first_not_of(allowed) == std::string_view::npos;
}

double number_of(std::string_view text) {
  double number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

json parse_manifest(std::string_view text, const std::string& where) {
  auto manifest = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!manifest.is_object() || !manifest.value("format", json()).is_number_integer())
    throw Error(ExitCode::data, {"its manifest is damaged", where, ""});
  if (const auto& format = manifest["format"]; format != checkpoint_format)
    throw Error(ExitCode::data,
                {fmt::format("has checkpoint format {}, this bcx reads {}", format.dump(),
                             checkpoint_format),
                 where, format > checkpoint_format ? "use a newer bcx" : "use an older bcx"});
  require_fields(manifest, where);
  return manifest;
}

json read_manifest(const weights::SafetensorsFile& file) {
  const std::string where = printable(file.path().string());
  const auto text = file.metadata().find("bcx.checkpoint");
  if (text == file.metadata().end())
    throw Error(ExitCode::data,
                {"is no checkpoint of bcx", where, "name a file of a run's folder"});
  return parse_manifest(text->second, where);
}

}  // namespace bcx::train
