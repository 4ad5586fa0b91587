// What a run writes down about itself before it begins, and what a checkpoint must agree with.
#pragma once

#include <c10/core/Device.h>

#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "engine/engine.h"
#include "engine/prepare_data.h"
#include "tracker/rows.h"

namespace bcx::engine {

/// LibTorch's version, processor, threads, device, graphics card.
std::vector<std::pair<std::string, std::string>> system_rows(at::Device device, int threads);

/// The run's row with its parameters and plugins.
tracker::RunDescription describe(const RunRequest& request, at::Device device, int threads);

/// Everything that decides a run's bits, by name: hashes of configuration, data and split, plugins'
/// build ids, threads, kind of device, and the preprocess components' states. Stands in every
/// checkpoint's manifest.
nlohmann::json identity(const RunRequest& request, const PreparedData& data, at::Device device,
                        int threads);

/// In words, what of `now` (an identity()) is another in a checkpoint's manifest.
std::vector<std::string> differences(const nlohmann::json& now, const nlohmann::json& manifest);

}  // namespace bcx::engine
