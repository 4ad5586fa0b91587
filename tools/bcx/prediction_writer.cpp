#include "prediction_writer.h"

#include <nlohmann/json.hpp>

#include "base/table.h"
#include "base/text.h"
#include "json_text.h"
#include "standard_output.h"

namespace bcx::cli {

PredictionWriter::PredictionWriter(const RunModel& model, bool json,
                                   const std::filesystem::path& out)
    : model_(model), json_(json) {
  if (!out.empty()) file_.emplace(out);
  if (json_) return;
  std::string header = "path,predicted";
  if (model_.classes.size() == 2) {
    header += ",score,threshold";
  } else {
    for (const auto& name : model_.classes) header += "," + csv_cell("score_" + name);
  }
  put(header + "\n");
}

void PredictionWriter::put(const std::string& text) {
  if (file_) return file_->write(text);
  write_out(text);
}

std::string PredictionWriter::csv_line(const std::string& path, std::span<const double> p,
                                       int predicted) const {
  std::string line =
      csv_cell(path) + "," + csv_cell(model_.classes[static_cast<std::size_t>(predicted)]);
  if (model_.rule.threshold)
    return line + "," + shortest(p[static_cast<std::size_t>(model_.positive)]) + "," +
           shortest(*model_.rule.threshold);
  for (const double probability : p) line += "," + shortest(probability);
  return line;
}

std::string PredictionWriter::json_line(const std::string& path, std::span<const double> p,
                                        int predicted, std::span<const float> logits) const {
  nlohmann::ordered_json line{{"path", path},
                              {"predicted", model_.classes[static_cast<std::size_t>(predicted)]}};
  if (model_.rule.threshold) {
    line["score"] = p[static_cast<std::size_t>(model_.positive)];
    line["threshold"] = *model_.rule.threshold;
  }
  auto& probabilities = line["probabilities"] = nlohmann::ordered_json::object();
  for (std::size_t c = 0; c < p.size(); ++c) probabilities[model_.classes[c]] = p[c];
  line["logits"] = std::vector<double>(logits.begin(), logits.end());
  return dump_line(line);
}

void PredictionWriter::write(const std::string& path, std::span<const float> logits) {
  const auto p = model_.probabilities(logits);
  const int predicted = eval::decide(p, model_.rule).front();
  put((json_ ? json_line(path, p.row(0), predicted, logits) : csv_line(path, p.row(0), predicted)) +
      "\n");
}

void PredictionWriter::finish() {
  if (file_) return file_->commit();
  flush_out();
}

}  // namespace bcx::cli
