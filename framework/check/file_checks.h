// Checks of a plugin file and of what it says about itself.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <vector>

#include "check/check.h"
#include "plugin/catalog.h"

namespace bcx::check {

using Report = std::function<bool(Result)>;  ///< takes a result; true when it passed

/// Sections, exports, loading, table and manifest. Nothing when the components cannot be checked.
std::optional<plugin::PluginFile> check_file(const std::filesystem::path& file,
                                             const Options& options, const Report& report);

}  // namespace bcx::check
