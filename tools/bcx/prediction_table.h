// Columns of predictions as they stand in a file, before they mean anything.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "prediction_file.h"

namespace bcx::cli {

struct PredictionTable {
  std::vector<std::string> target;
  std::vector<std::string> classes;  ///< of the score columns; empty: a single score
  std::vector<double> scores;        ///< [rows, score columns], row-major
  std::vector<std::string> sample;
  std::vector<std::pair<std::string, std::vector<std::string>>> attributes;  ///< with `group`
  std::vector<std::string> places;  ///< of each row, for errors: `file.csv:3`
};

/// From text cells to classes and indexes; `file` for errors without a row.
PredictionSet interpret(PredictionTable table, const PredictionOptions& options,
                        const std::string& file);

/// The table behind records (the first of them the header).
PredictionTable table_of(const std::vector<std::vector<std::string>>& records,
                         std::vector<std::string> places, const std::string& file);

}  // namespace bcx::cli
