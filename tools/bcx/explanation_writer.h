// Explained pictures on their way to files.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "engine/inference.h"
#include "run_model.h"
#include "tracker/rows.h"

namespace bcx::cli {

/// What is known of a picture before it is explained.
struct ExplainedPicture {
  std::string stem;    ///< of its files: `error-01`
  std::string name;    ///< the sample's, or the path
  std::string sample;  ///< the sample's id in 16 hexadecimal digits; empty: of no data set
  std::string target;  ///< the class's name; empty: unknown
  std::vector<std::string> galleries;
};

/// Writes into one folder, for each picture, `STEM.png` (the picture beside the map over it, with
/// what was decided) and `STEM-map.png` (the map over it alone), and at the end `explain.json`:
///
///     {"method": "Grad-CAM", "layer": "...", "run": "...", "checkpoint": "...",
///      "sanity": {"correlation": 0.1, "maps": 12, "draws": 10},
///      "maps": [{"sample": "00c0ffee00c0ffee", "name": "...", "file": "error-01-map.png",
///                "picture": "error-01.png", "galleries": ["error"], "target": "...",
///                "class": "...", "score": 0.97, "correlation": 0.1}]}
///
/// `class` is what the map speaks for, the class decided on; `score` its probability.
/// `correlation`: see engine::Explained::random_correlation; the run's is the mean over the maps.
class ExplanationWriter {
 public:
  /// Makes the folder.
  ExplanationWriter(const RunModel& model, std::filesystem::path folder);

  void write(const ExplainedPicture& picture, const engine::Explained& explained);
  void finish();

  /// Mean over the maps; none when it is undefined for each.
  std::optional<double> correlation() const;
  std::size_t count() const { return maps_.size(); }
  /// Rows of everything that was written, names beginning with `prefix`.
  std::vector<tracker::ArtifactRow> artifacts(const std::string& prefix) const;
  std::string table(int width) const;

 private:
  void file(const std::string& name, std::span<const std::byte> bytes);

  const RunModel& model_;
  std::filesystem::path folder_;
  nlohmann::ordered_json maps_ = nlohmann::ordered_json::array();
  std::vector<tracker::ArtifactRow> files_;
  double sum_ = 0;
  std::int64_t defined_ = 0;
};

}  // namespace bcx::cli
