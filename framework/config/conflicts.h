// Settings that are right by themselves and wrong together, and texts with a grammar of their own.
#pragma once

#include "config/experiment.h"
#include "config/problems.h"
#include "config/resolve.h"

namespace bcx::config {

/// Rules that involve a key which was wrong by itself are passed over.
void check_conflicts(const Experiment& experiment, const Resolution& resolution,
                     const Catalog& catalog, Problems& problems);

/// `monitor` of the callbacks against what an epoch's metrics are called: `val.` and each of
/// `validation`, the training loop's own, and what other callbacks add ([component.facts] metrics).
void check_monitors(const Experiment& experiment, const Resolution& resolution,
                    const Catalog& catalog, const std::vector<std::string>& validation,
                    Problems& problems);

}  // namespace bcx::config
