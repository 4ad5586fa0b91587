#include "data/facts_json.h"

#include <fmt/format.h>

#include <charconv>

#include "base/error.h"

namespace bcx::data {
namespace {

using nlohmann::json;

[[noreturn]] void fail(const std::string& what) {
  throw Error(ExitCode::data, what);
}

const json& field(const json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end()) fail(fmt::format("is damaged: its table lacks \"{}\"", name));
  return *found;
}

[[noreturn]] void wrong_type(const char* name) {
  fail(fmt::format("is damaged: \"{}\" in its table is not what it should be", name));
}

std::string hex(std::uint64_t value) {
  return fmt::format("{:016x}", value);
}

std::uint64_t from_hex(const json& value) {
  if (!value.is_string()) wrong_type("facts");
  const auto& text = value.get_ref<const std::string&>();
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, 16);
  if (text.size() != 16 || error != std::errc() || end != text.data() + 16) wrong_type("facts");
  return number;
}

int side_of(const json& value) {
  if (!value.is_number_unsigned() || value.get<std::uint64_t>() > 1'000'000) wrong_type("facts");
  return value.get<int>();
}

}  // namespace

json parse_object(std::string_view text) {
  json object = json::parse(text.begin(), text.end(), nullptr, /*allow_exceptions=*/false);
  if (!object.is_object()) fail("is damaged: its table cannot be read");
  return object;
}

const json& array_field(const json& object, const char* name) {
  const json& value = field(object, name);
  if (!value.is_array()) wrong_type(name);
  return value;
}

std::string text_field(const json& object, const char* name) {
  const json& value = field(object, name);
  if (!value.is_string()) wrong_type(name);
  return value.get<std::string>();
}

std::int64_t count_field(const json& object, const char* name, std::int64_t most) {
  const json& value = field(object, name);
  if (!value.is_number_unsigned() || value.get<std::uint64_t>() > static_cast<std::uint64_t>(most))
    wrong_type(name);
  return value.get<std::int64_t>();
}

std::vector<std::string> texts_field(const json& object, const char* name) {
  std::vector<std::string> texts;
  for (const json& value : array_field(object, name)) {
    if (!value.is_string()) wrong_type(name);
    texts.push_back(value.get<std::string>());
  }
  return texts;
}

json facts_to_json(const ImageFacts& facts) {
  auto fields = json::array({static_cast<std::uint64_t>(facts.width),
                             static_cast<std::uint64_t>(facts.height), hex(facts.pixel_hash),
                             hex(facts.perceptual_hash), facts.note});
  if (!facts.unprocessed.empty()) fields.push_back(facts.unprocessed);
  return fields;
}

ImageFacts facts_from_json(const json& value) {
  const bool known = value.is_array() && (value.size() == 5 || value.size() == 6);
  if (!known || !value[4].is_string() || !value.back().is_string()) wrong_type("facts");
  ImageFacts facts;
  facts.width = side_of(value[0]);
  facts.height = side_of(value[1]);
  facts.pixel_hash = from_hex(value[2]);
  facts.perceptual_hash = from_hex(value[3]);
  facts.note = value[4].get<std::string>();
  if (value.size() == 6) facts.unprocessed = value[5].get<std::string>();
  return facts;
}

std::string dump(const json& value) {
  try {
    return value.dump();
  } catch (const json::exception&) {
    fail("a file name is not UTF-8, and a portable file cannot hold it");
  }
}

}  // namespace bcx::data
