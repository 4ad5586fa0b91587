// Which values of an attribute lie on more than one side of a split.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "data/sample.h"

namespace bcx::data {

/// A value and how many of its images lie in train, validation and test.
struct Overlap {
  std::string value;
  std::int64_t images[3] = {0, 0, 0};
};

/// Values of attribute `column` in more than one of train, validation and test, sorted. Images
/// without a value ("") say nothing about where they belong and are left out.
std::vector<Overlap> overlaps(const SampleTable& table, const std::vector<Part>& parts,
                              std::size_t column);

}  // namespace bcx::data
