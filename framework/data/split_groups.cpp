#include "data/split_groups.h"

#include <fmt/format.h>

#include <map>
#include <string_view>

#include "base/error.h"
#include "base/text.h"

namespace bcx::data {

Grouping group_samples(const SampleTable& table, const std::string& attribute) {
  Grouping grouping;
  grouping.of.resize(table.samples.size());
  if (attribute.empty()) {
    for (std::size_t i = 0; i < grouping.of.size(); ++i) grouping.of[i] = i;
    grouping.count = grouping.of.size();
    return grouping;
  }
  const auto column = *table.attribute(attribute);
  std::map<std::string_view, std::size_t> numbers;
  for (const auto& sample : table.samples) {
    if (sample.attributes[column].empty()) {
      throw Error(ExitCode::data, {fmt::format("an image without a \"{}\"", printable(attribute)),
                                   printable(sample.relative),
                                   "give every image one, or split by another attribute"});
    }
    numbers.emplace(sample.attributes[column], 0);
  }
  for (auto& [value, number] : numbers) {
    number = grouping.values.size();
    grouping.values.emplace_back(value);
  }
  for (std::size_t i = 0; i < table.samples.size(); ++i) {
    grouping.of[i] = numbers.at(table.samples[i].attributes[column]);
  }
  grouping.count = grouping.values.size();
  return grouping;
}

}  // namespace bcx::data
