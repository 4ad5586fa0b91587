#include "data/overlap.h"

#include <algorithm>
#include <unordered_map>

namespace bcx::data {

std::vector<Overlap> overlaps(const SampleTable& table, const std::vector<Part>& parts,
                              std::size_t column) {
  std::unordered_map<std::string, Overlap> values;
  for (std::size_t i = 0; i < table.samples.size(); ++i) {
    const auto& value = table.samples[i].attributes[column];
    if (value.empty() || parts[i] == Part::unused) continue;
    ++values[value].images[static_cast<std::size_t>(parts[i])];
  }
  std::vector<Overlap> found;
  for (auto& [value, overlap] : values) {
    if (std::count(std::begin(overlap.images), std::end(overlap.images), 0) >= 2) continue;
    overlap.value = value;
    found.push_back(std::move(overlap));
  }
  std::sort(found.begin(), found.end(),
            [](const Overlap& a, const Overlap& b) { return a.value < b.value; });
  return found;
}

}  // namespace bcx::data
