// A data set known by its file names alone.
#pragma once

#include <filesystem>

#include "data/sample.h"

namespace bcx::data {

struct Listing {
  SampleTable table;        ///< benign and malignant, BreakHis's attributes; samples without paths
  bool says_parts = false;  ///< a published fold file: its lines say train and test
};

/// Reads a list of BreakHis images, one a line: a file name, a path that ends in one, or a line of
/// a published fold file (data/breakhis.h). Empty lines are passed over. Throws bcx::Error or
/// ErrorList (data) for other lines, for a name that occurs twice, and for an empty list.
Listing read_breakhis_listing(const std::filesystem::path& file);

}  // namespace bcx::data
