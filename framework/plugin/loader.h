// Loading a plugin into the process: once, for good.
#pragma once

#include <filesystem>
#include <string>

#include "config/params.h"

namespace bcx::plugin {

/// A plugin in this process. What every run records about it stands here.
struct LoadedPlugin {
  const void* table = nullptr;  ///< const bcx::sdk::PluginTable*: this layer does not look inside
  std::string name, version;
  std::string build_id;
  std::filesystem::path file;  ///< absolute
};

/// Loads a plugin file after the same checks as inspect(), with all its symbols resolved and none
/// visible to other libraries. The second call for a file gives the first one's result. Plugins are
/// never unloaded: threads and registered operators of theirs may outlive everything else.
/// The reference stays valid until the process ends. Any thread, one at a time.
///
/// Throws bcx::Error (plugin) with the file and a remedy: what inspect() refuses, a missing
/// library, an unresolved symbol, an entry function that throws or returns nothing. A file whose
/// code is still busy after its time limit ends the process: exit code 4, with the file's name
/// on standard error. Nothing else can be done about code that does not come back.
const LoadedPlugin& load(const std::filesystem::path& file);

/// The plugin behind a component of a catalog.
const LoadedPlugin& load(const config::ComponentSpec& component);

/// Seconds that static constructors and the entry function of one file may take; at first 120.
void set_load_time_limit(double seconds);

}  // namespace bcx::plugin
