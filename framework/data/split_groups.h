// Inside of make_split(): samples by the value of one attribute.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "data/sample.h"

namespace bcx::data {

/// The images of each group, groups in bytewise order of their value; by image, one group each.
struct Grouping {
  std::vector<std::string> values;  ///< empty when by image
  std::vector<std::size_t> of;      ///< sample -> group
  std::size_t count = 0;
};

/// `attribute` is one of the table's, or "" for by image. Throws bcx::Error (data) for an image
/// without a value.
Grouping group_samples(const SampleTable& table, const std::string& attribute);

}  // namespace bcx::data
