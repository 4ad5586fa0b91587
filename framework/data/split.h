// Which image trains, which validates, which tests: by group, stratified, from the seed alone.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "config/experiment.h"
#include "data/sample.h"

namespace bcx::data {

/// A finished split. Everything a run stores about it.
struct Split {
  std::vector<Part> parts;  ///< aligned with SampleTable::samples
  std::string group;        ///< the attribute that kept groups together; "" = split by image
  std::string method;       ///< SplitConfig::method, or `fixed` when the data says its own parts
  std::int64_t fold = 0, folds = 1;   ///< which of how many (repeats counted in)
  std::vector<std::string> stamps;    ///< LEAKY, UNGROUPED: shown wherever the run is
  std::vector<std::string> warnings;  ///< sentences for people
  /// counts[class][part], part as in Part: images, and groups (images again without groups).
  std::vector<std::array<std::int64_t, 4>> images, groups;
  std::string hash;  ///< SHA-256 over `relative NUL part LF` of every sample, in the table's order

  /// Indexes into SampleTable::samples, ascending.
  std::vector<std::int64_t> indexes(Part part) const;
  bool has_stamp(std::string_view stamp) const;
};

/// Splits `table`. A pure function of its arguments: the same everywhere and always.
///
/// Groups are the values of the attribute `by`; a group never lies in two parts. When `by` was not
/// said, the first of case, patient, group, slide that the table has is taken; a table without any
/// is an error that asks for `by`. `by = "image"` splits single images.
///
/// Methods:
///   holdout               shares `test` and `validation` of the images; the rest trains
///   kfold                 `folds` parts; part `fold` tests, and the share `validation` of the rest
///                         validates
///   repeated              `repeats` such partitions; fold counts through all of them:
///                         repeat = fold / folds
///   leave_one_group_out   the fold-th group in bytewise order tests
///   files                 the published fold file `files[fold]` says train and test; the share
///                         `validation` of its training images validates; images that it does not
///                         name are `unused`
/// A table with the attribute `part` (fixed folders, a manifest's column) keeps its parts; only a
/// missing validation part is drawn from train, and only method holdout goes with it.
///
/// With `stratify`, groups are dealt so that the share of every class in every part is near the
/// one asked for: of several shuffled greedy deals (each group goes where the squared error of the
/// shares falls most) the best is taken, and each part gets a group of every class that has enough
/// of them. What the groups do not allow is said in `warnings`, and the audit's `missing_class`
/// stops it. kfold with fewer groups in a class than folds is an error.
///
/// Stamps: LEAKY when any group_keys(table, patient, by) value lies in two parts; UNGROUPED when
/// there is no such key at all. Throws bcx::Error (data) for an unknown attribute, images without
/// a value of it, a fold that does not exist, shares that leave nothing to train on, a fold file
/// that cannot be read or names none of the images.
///
/// A pure function of its arguments; what is dealt at random comes from config.seed. `patient` is
/// data.patient.
Split make_split(const SampleTable& table, const config::SplitConfig& config,
                 std::string_view patient = {});

/// Every image in the test part: data that a finished model is evaluated on. `method` is
/// `external`; `group` is `patient` where the table has that attribute, else the first of
/// group_keys(). Stamped UNGROUPED when there is no such key.
Split test_split(const SampleTable& table, std::string_view patient = {});

/// How many folds `config` means for this table: 1 for holdout, folds, folds * repeats, groups, or
/// files. Throws as make_split() for an unknown attribute.
std::int64_t number_of_folds(const SampleTable& table, const config::SplitConfig& config);

/// The attribute that `config.by` means for this table, "" for by = "image". Throws bcx::Error
/// (data) when the table does not have it, or has no group and `by` was not said.
std::string group_attribute(const SampleTable& table, const config::SplitConfig& config);

}  // namespace bcx::data
