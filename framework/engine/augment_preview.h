// Augmented pictures for people to look at.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "config/experiment.h"
#include "data/sample.h"
#include "plugin/catalog.h"

namespace bcx::engine {

/// See Engine::augment.
void augment_preview(const config::Experiment& experiment, const plugin::PluginCatalog& catalog,
                     std::span<std::uint8_t> pixels, const data::PixelView& shape,
                     const std::vector<std::uint64_t>& ids, std::int64_t epoch);

}  // namespace bcx::engine
