// Resolved keys as the structures that the rest of bcx reads.
#pragma once

#include "config/experiment.h"
#include "config/resolve.h"

namespace bcx::config {

/// Fields whose key was wrong are empty or zero; nobody but the check for conflicts may look then.
Experiment bind(const Resolution& resolution, const Places& places);

}  // namespace bcx::config
