// Predictions on their way to a file or to standard output.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/atomic_file.h"
#include "run_model.h"

namespace bcx::cli {

/// CSV or JSON lines, one for each picture, as they come.
///
///   CSV   path, predicted, then with two classes `score` (of the positive class) and `threshold`;
///         with more a `score_CLASS` for each. `bcx metrics` reads them.
///   JSON  {"path", "predicted", "score" and "threshold" of two classes, "probabilities" by class,
///         "logits"}
///
/// Probabilities have all their digits. A path that is not UTF-8 stays as it is in CSV and has
/// U+FFFD for what is none in JSON. Errors: bcx::Error (storage), and
/// OutputClosed (standard_output.h).
class PredictionWriter {
 public:
  /// `out` empty: standard output; else a file that appears when finish() is called.
  PredictionWriter(const RunModel& model, bool json, const std::filesystem::path& out);

  void write(const std::string& path, std::span<const float> logits);
  void finish();

 private:
  void put(const std::string& text);
  std::string csv_line(const std::string& path, std::span<const double> p, int predicted) const;
  std::string json_line(const std::string& path, std::span<const double> p, int predicted,
                        std::span<const float> logits) const;

  const RunModel& model_;
  bool json_;
  std::optional<AtomicFile> file_;
};

}  // namespace bcx::cli
