// From a filter to SQL with parameters.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "tracker/filter.h"
#include "tracker/run_keys.h"

namespace bcx::tracker {

/// A condition over `run r` with one `?` for each value, in order. Nothing that a person typed is
/// in its text.
///
/// `gone` matters where asks_for_life() is true. Throws bcx::Error
/// (usage) that points at what is wrong: a key that is not there, types that cannot be compared.
SqlCondition filter_sql(const Filter& filter, const KnownKeys& known, const NotRunning& gone,
                        std::int64_t now);

/// Whether the answer depends on which runs are alive.
bool asks_for_life(const Filter& filter);

}  // namespace bcx::tracker
