// The components of this source tree, read from plugins/*/*/plugin.toml without building anything.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "config/params.h"

namespace bcx::docs {

class SourceCatalog : public config::Catalog {
 public:
  /// Reads every manifest below `root`/plugins. Throws bcx::Error for one that is wrong.
  explicit SourceCatalog(const std::filesystem::path& root);
  const config::ComponentSpec* find(config::ComponentKind kind,
                                    std::string_view name) const override;
  std::vector<std::string> names(config::ComponentKind kind) const override;  ///< sorted

 private:
  std::map<config::ComponentKind, std::map<std::string, config::ComponentSpec, std::less<>>>
      components_;
};

}  // namespace bcx::docs
