#include "weights/index.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "weights/index_text.h"

namespace bcx::weights {
namespace {

IndexEntry entry_from(const nlohmann::json& json) {
  IndexEntry entry;
  entry.name = json.at("name");
  entry.description = json.at("description");
  entry.source = json.at("source");
  entry.licence = json.at("licence");
  entry.package = json.value("package", "");
  entry.url = json.value("url", "");
  entry.file = json.at("file");
  entry.exact_size = json.contains("size");
  entry.size = json.at(entry.exact_size ? "size" : "about_size");
  entry.sha256 = json.at("sha256");
  const auto& input = json.at("input");
  entry.input = {input.at("resize"), input.at("crop"), input.at("interpolation")};
  entry.tried = json.at("tried");
  return entry;
}

std::vector<IndexEntry> read_index() {
  std::vector<IndexEntry> entries;
  const auto index = nlohmann::json::parse(index_text);
  for (const auto& json : index.at("weights")) entries.push_back(entry_from(json));
  std::sort(entries.begin(), entries.end(),
            [](const IndexEntry& a, const IndexEntry& b) { return a.name < b.name; });
  return entries;
}

}  // namespace

std::span<const IndexEntry> weights_index() {
  static const std::vector<IndexEntry> entries = read_index();
  return entries;
}

const IndexEntry* find_weights(std::string_view name) {
  for (const auto& entry : weights_index())
    if (entry.name == name) return &entry;
  return nullptr;
}

}  // namespace bcx::weights
