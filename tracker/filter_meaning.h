// What a filter's keys and values mean in a file: which column, parameter or metric, of which type.
#pragma once

#include <cstdint>
#include <string>

#include "tracker/filter.h"
#include "tracker/filter_values.h"
#include "tracker/run_columns.h"
#include "tracker/run_keys.h"

namespace bcx::tracker {

/// What can be compared with one another. `any`: a parameter, whose type each run chooses.
enum class ValueType { number, text, time, boolean, any };

ValueType type_of(const FilterValue& value);
/// "a number", "a text", ...
const char* name_of(ValueType type);
/// Of a term that is a text.
const FilterText& text_of(const FilterTerm& term);

/// A key that was looked up.
struct FilterKey {
  Key key;
  ValueType type = ValueType::any;
  const RunColumn* column = nullptr;
};

/// Looks keys up and reads values; its errors point into the filter, which must outlive it.
class FilterMeaning {
 public:
  /// `now`: what relative times count from.
  FilterMeaning(const Filter& filter, const KnownKeys& known, std::int64_t now)
      : filter_(filter), known_(known), now_(now) {}

  const Filter& filter() const { return filter_; }
  /// `compared`: on the side where a text without quotes may have been meant.
  FilterKey look_up(const FilterTerm& term, bool compared) const;
  /// Throws unless the key can have a value of this literal's type; gives that type.
  ValueType agreed(const FilterKey& key, const FilterTerm& literal) const;
  TimeSpan span(const FilterTerm& literal) const;
  [[noreturn]] void fail(const FilterTerm& term, std::string what, std::string remedy = {}) const;

 private:
  void check_status(const FilterKey& key, const FilterTerm& literal) const;

  const Filter& filter_;
  const KnownKeys& known_;
  std::int64_t now_;
};

}  // namespace bcx::tracker
