// Pictures of a mapped file asked for before they are needed.
#pragma once

#include <cstdint>
#include <span>

#include "data/sample.h"

namespace bcx::data {

/// Tells the system that these images of a mapped view are read soon (madvise, MADV_WILLNEED): it
/// fetches their pages while the processor works on others, and a data set larger than memory costs
/// the disk's time only where the disk is slower than the network. Returns at once; never fails,
/// since it is advice. Nothing for a view in memory. Any thread.
void read_ahead(const PixelView& view, std::span<const std::int64_t> indexes) noexcept;

}  // namespace bcx::data
