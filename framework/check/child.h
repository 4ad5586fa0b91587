// One check in a process of its own.
#pragma once

#include <functional>
#include <string>

#include "check/check.h"

namespace bcx::check {

/// Says what was found good, or throws bcx::Error with what is wrong and what to do.
using Body = std::function<std::string()>;

enum class Ending {
  at_once,  ///< no destructor of a static object runs: another check looks at those
  normal,   ///< as a program ends
};

/// Runs `body` in a forked child, whose output goes nowhere. A child that ends by a signal, ends
/// the process itself or is not done after `time_limit` seconds (it is killed then) has failed.
Result in_child(std::string component, std::string name, double time_limit, const Body& body,
                Ending ending = Ending::at_once);

}  // namespace bcx::check
