// libbcx_engine.so, and LibTorch behind it, for the commands that need them.
#pragma once

#include "base/shared_object.h"
#include "engine/engine.h"

namespace bcx::cli {

/// Whether load_engine() was called.
inline bool engine_is_open = false;

/// Opens the engine at the first call (0.3 s: LibTorch's own start).
inline const engine::Engine& load_engine() {
  engine_is_open = true;
  return *reinterpret_cast<const engine::Engine* (*)()>(
      load_host_symbol("bcx_engine", "bcx_engine"))();
}

}  // namespace bcx::cli
