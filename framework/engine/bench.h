// What training and inference cost on this machine.
#pragma once

#include "engine/engine.h"

namespace bcx::engine {

/// See Engine::bench.
std::vector<Measured> bench(const BenchRequest& request);

}  // namespace bcx::engine
