// What an interval is worth, beneath the table that holds it.
#pragma once

#include <fmt/format.h>

#include "report/coverage_text.h"

namespace bcx::cli {

/// Nothing where nothing was measured.
inline void print_coverage(std::int64_t scarcest) {
  const auto text = report::coverage_text(scarcest);
  if (!text.empty()) fmt::print("{}\n", text);
}

}  // namespace bcx::cli
