// What a data set and its split hold, as tables for people.
#pragma once

#include <string>

#include "base/table.h"
#include "data/audit.h"
#include "data/sample.h"
#include "data/split.h"

namespace bcx::data {

/// A row a class: images, and how many different values each group key has. Of more than 50 classes
/// the first 40, and how many more there are.
Table class_table(const SampleTable& table);

/// A row an attribute: how many values, and the most frequent ones with their counts.
Table attribute_table(const SampleTable& table);

/// A row a class (of very many: as class_table()) and a column a part: images, and in parentheses
/// groups (when split by a group).
Table split_table(const SampleTable& table, const Split& split);

/// `holdout by case`, `kfold by case, fold 0 of 5`, `fixed by image [UNGROUPED]`.
std::string split_line(const Split& split);

/// A row a finding: name, whether it is allowed, what was found, the first example.
Table finding_table(const AuditReport& report);

}  // namespace bcx::data
