// Inside of audit(): the same picture, or nearly, where it should not be.
#pragma once

#include <cstddef>
#include <vector>

#include "data/audit.h"

namespace bcx::data {

inline constexpr std::size_t audit_examples = 5;

/// Adds identical_image, near_duplicate, conflicting_label and notes. `facts` is aligned with the
/// table.
void compare_pictures(AuditReport& report, const SampleTable& table, const Split& split,
                      const std::vector<ImageFacts>& facts);

}  // namespace bcx::data
