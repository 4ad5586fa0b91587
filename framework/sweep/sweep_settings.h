// [sweep] itself: all of it but its parameters.
#pragma once

#include "config/document.h"
#include "config/load.h"
#include "config/problems.h"
#include "sweep/plan.h"

namespace bcx::sweep {

/// [sweep] as it was written, in the file and on the command line.
struct WrittenSweep {
  config::Node table;     ///< empty where there is none
  config::Origin origin;  ///< of [sweep], else of the file

  /// Where a key stands, else where it would.
  config::Origin place(const char* key) const;
};

/// What it says, or its keys' defaults, into `plan`; a sweep without a name is called as its file.
/// Mistakes go to `problems`.
void read_settings(const WrittenSweep& written, const config::LoadOptions& load, Plan& plan,
                   config::Problems& problems);

}  // namespace bcx::sweep
