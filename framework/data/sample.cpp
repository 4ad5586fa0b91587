#include "data/sample.h"

#include <algorithm>

namespace bcx::data {

std::optional<std::size_t> SampleTable::attribute(std::string_view name) const {
  const auto found = std::find(attribute_names.begin(), attribute_names.end(), name);
  if (found == attribute_names.end()) return std::nullopt;
  return static_cast<std::size_t>(found - attribute_names.begin());
}

std::string_view name_of(Part part) {
  switch (part) {
    case Part::train:
      return "train";
    case Part::validation:
      return "validation";
    case Part::test:
      return "test";
    case Part::unused:
      break;
  }
  return "unused";
}

}  // namespace bcx::data
