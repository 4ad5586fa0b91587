// The backbones of this repository, made through their plugin files as the host makes them.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "bcx/sdk/backbone.h"
#include "bcx/sdk/params.h"
#include "config/params.h"

namespace bcx::test {

/// Names of all backbones in the build tree's plugins.
std::vector<std::string> backbone_names();

/// What plugin.toml says about a backbone.
const config::ComponentSpec& backbone_spec(const std::string& name);

/// A backbone with the manifest's defaults, but for `overrides`.
std::shared_ptr<sdk::Backbone> make_backbone(
    const std::string& name, const std::map<std::string, sdk::Value, std::less<>>& overrides = {});

/// Overrides that turn off whatever a backbone draws: its probabilities, all 0.
std::map<std::string, sdk::Value, std::less<>> without_randomness(const std::string& name);

/// A context whose generator starts from `seed`.
sdk::ModelContext make_context(std::uint64_t seed = 1);

/// Parameters and buffers under their full names.
std::vector<std::pair<std::string, at::Tensor>> state_of(const torch::nn::Module& module);

}  // namespace bcx::test
