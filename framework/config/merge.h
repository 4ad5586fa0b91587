// Reading an experiment file and those it extends into one tree.
#pragma once

#include <filesystem>
#include <string>

#include "config/document.h"
#include "config/problems.h"

namespace bcx::config {

/// Lays `over` onto `base`: tables merge key by key, everything else is replaced. A table whose one
/// key is `append` (`[[augmentation.append]]`, `tags.append = ["x"]`) adds to the list instead.
/// Every value keeps its own origin.
void merge(Node& base, const Node& over);

/// The list to add when `node` is a table with nothing but `append = [...]`, else nullptr.
const Node* appended_list(const Node& node);

struct Sources {
  Node root;
  std::string main_text;  ///< of the file itself, empty when it could not be read
  bool failed = false;    ///< a file is missing or no TOML: what is in `root` is not the whole
};

/// Reads `file` (relative paths start at `working_directory`) and, before it, those its `extends`
/// names. Mistakes go to `problems`: the first of each file that is no TOML, files that are
/// missing, cycles.
Sources read_sources(const std::filesystem::path& file,
                     const std::filesystem::path& working_directory, Problems& problems);

}  // namespace bcx::config
