// What the rules of conflicts.cpp, conflicts_data.cpp, conflicts_train.cpp and
// conflicts_callbacks.cpp share.
#pragma once

#include <initializer_list>
#include <string>

#include "config/experiment.h"
#include "config/problems.h"
#include "config/resolve.h"

namespace bcx::config {

class ConflictRules {
 public:
  using Keys = std::initializer_list<const char*>;

  ConflictRules(const Experiment& experiment, const Resolution& resolution, const Catalog& catalog,
                Problems& problems)
      : experiment_(experiment), resolution_(resolution), catalog_(catalog), problems_(problems) {}

 protected:
  /// Reports at the first of `keys` that somebody said, unless one of them was wrong already.
  void conflict(Keys keys, std::string what, std::string remedy = {});
  /// None of `keys` was wrong by itself.
  bool known(Keys keys) const;
  static bool is_default(const Experiment::Resolved& entry);
  /// A text's value as messages show it.
  std::string shown(const char* key) const;

  const Experiment& experiment_;
  const Resolution& resolution_;
  const Catalog& catalog_;
  Problems& problems_;
};

void check_data_conflicts(const ConflictRules& rules);
void check_train_conflicts(const ConflictRules& rules);
void check_callback_conflicts(const ConflictRules& rules);

}  // namespace bcx::config
