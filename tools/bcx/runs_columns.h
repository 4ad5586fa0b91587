// What `bcx runs` can show of a run, column by column.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/table.h"
#include "tracker/reader.h"

namespace bcx::cli {

struct ShownColumn {
  Column column;
  std::function<std::string(const tracker::RunShown&)> text;
  std::optional<tracker::Key> key;  ///< the parameter or metric behind it
};

/// The column of a word: `status`, `learning_rate`, `val.auc`, `best(val.auc)`. `screen`: times are
/// short. Throws (usage) when there is no such thing.
ShownColumn column_of(const tracker::Reader& reader, const std::string& word, bool screen);

/// What a person wants to see of unknown runs: who, when, how far, and the first three of the usual
/// figures that any of them has.
std::vector<ShownColumn> default_columns(const std::vector<tracker::RunShown>& runs, bool screen);

/// The usual figures, most wanted first: those of validation, then the last word.
const std::vector<std::string>& usual_figures();
/// The first three of them that any of the runs has.
std::vector<std::string> figures_of(const std::vector<tracker::RunShown>& runs);

/// A metric's value, NaN included; none when the run does not have it.
std::optional<double> metric_of(const tracker::RunShown& run, const tracker::Key& key);
/// `val.auc`, `best(val.auc)`.
std::string title_of(const tracker::Key& key);

}  // namespace bcx::cli
