// The checks of each kind of component. Each runs in a child process; none changes another's
// outcome.
#pragma once

#include <string>
#include <vector>

#include "check/child.h"
#include "check/subject.h"

namespace bcx::check {

struct Check {
  std::string name;
  Body body;
  Ending ending = Ending::at_once;
};

// The component outlives the checks.
std::vector<Check> backbone_checks(const config::ComponentSpec& spec);
std::vector<Check> augmentation_checks(const config::ComponentSpec& spec);
std::vector<Check> optimizer_checks(const config::ComponentSpec& spec);
std::vector<Check> callback_checks(const config::ComponentSpec& spec);

}  // namespace bcx::check
