// Which plugins there are: looked for in folders, read without being loaded.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "bcx/sdk/abi.h"
#include "config/params.h"
#include "plugin/manifest.h"

namespace bcx::plugin {

/// A plugin file whose sections were read and found fit for this bcx. Nothing of it was executed.
struct PluginFile {
  std::filesystem::path path;  ///< absolute, symbolic links resolved
  Manifest manifest;
  std::string build_id;  ///< hex digits; empty when the file has none
  sdk::AbiBlock abi{};   ///< compiler and versions, for showing
};

/// Checks one file: sections, build, manifest, entry symbol. Throws bcx::Error (plugin) with the
/// path, the reason and a remedy. Takes a fraction of a millisecond.
PluginFile inspect(const std::filesystem::path& file);

/// A file or folder that is not used, and why. The others are.
struct Finding {
  std::filesystem::path path;
  std::string reason;  ///< `is built for SDK ABI 2, this bcx has 1; rebuild it ...`
};

/// Where to look, in this order; the first file that offers a name wins:
/// `--plugin-path`, the experiment's `[plugins] path`, BCX_PLUGIN_PATH (colons between folders),
/// `$XDG_DATA_HOME/bcx/plugins`, and `bcx/plugins` beside bcx's own libraries, which is
/// `<bcx>/../lib/bcx/plugins`. Never the current directory, unless it is named.
struct Search {
  std::vector<std::filesystem::path> command_line;  ///< --plugin-path
  std::vector<std::filesystem::path> experiment;    ///< [plugins] path, absolute
  bool environment = true;                          ///< BCX_PLUGIN_PATH
  bool user = true;                                 ///< $XDG_DATA_HOME/bcx/plugins
  /// bcx's own plugins. Unset: beside its libraries, as installed and in the build tree. Empty path:
  /// none.
  std::optional<std::filesystem::path> built_in;
};

/// The plugins found. Reads `*.bcx.so` in each folder (not below it), by name.
///
/// Folders and files are refused when they belong to another user than me or root, are writable by
/// everybody, or by a group that is not my own. A broken, refused or shadowed file is a finding and
/// never stops the others. Immutable after construction; any thread.
class PluginCatalog : public config::Catalog {
 public:
  /// Throws bcx::Error (usage) when a folder of `command_line` or `experiment` is not there.
  explicit PluginCatalog(const Search& search = {});

  const config::ComponentSpec* find(config::ComponentKind kind,
                                    std::string_view name) const override;
  std::vector<std::string> names(config::ComponentKind kind) const override;  ///< sorted

  /// All components of all kinds, by kind, then by name.
  std::vector<const config::ComponentSpec*> components() const;
  /// The file behind a component of this catalog, or the plugin of that name; nullptr when unknown.
  const PluginFile* plugin(std::string_view name) const;

  const std::vector<PluginFile>& plugins() const { return plugins_; }
  const std::vector<Finding>& findings() const { return findings_; }
  /// The folders that were looked into, in order.
  const std::vector<std::filesystem::path>& folders() const { return folders_; }

 private:
  void add_folder(const std::filesystem::path& folder);
  void add_file(const std::filesystem::path& file);
  void add_components(const PluginFile& plugin);
  void refuse(const std::filesystem::path& path, std::string reason);

  std::vector<PluginFile> plugins_;
  std::vector<Finding> findings_;
  std::vector<std::filesystem::path> folders_;
  std::map<config::ComponentKind, std::map<std::string, config::ComponentSpec, std::less<>>>
      components_;
};

}  // namespace bcx::plugin
