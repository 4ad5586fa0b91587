// docs/experiment-file.md, from the schema and the plugins' manifests.
#pragma once

#include <string>

#include "config/params.h"

namespace bcx::config {

/// The reference of every key as Markdown: the experiment's own sections, then every component that
/// the catalog knows. The same catalog gives the same bytes.
std::string reference_markdown(const Catalog& catalog);

}  // namespace bcx::config
