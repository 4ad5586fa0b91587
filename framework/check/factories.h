// What a component of a plugin's table makes.
#pragma once

#include "bcx/sdk/plugin.h"
#include "config/params.h"

namespace bcx::check {

/// How many factories it has: one is right.
inline int factories(const sdk::ComponentEntry& entry) {
  return (entry.backbone != nullptr) + (entry.augmentation != nullptr) +
         (entry.optimizer != nullptr) + (entry.callback != nullptr) + (entry.preprocess != nullptr);
}

/// Whether it makes components of this kind.
inline bool has_factory(const sdk::ComponentEntry& entry, config::ComponentKind kind) {
  switch (kind) {
    case config::ComponentKind::backbone:
      return entry.backbone;
    case config::ComponentKind::augmentation:
      return entry.augmentation;
    case config::ComponentKind::preprocess:
      return entry.preprocess;
    case config::ComponentKind::optimizer:
      return entry.optimizer;
    case config::ComponentKind::callback:
      return entry.callback;
  }
  return false;
}

}  // namespace bcx::check
