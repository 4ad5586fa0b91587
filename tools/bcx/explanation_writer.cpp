#include "explanation_writer.h"

#include <fmt/format.h>

#include <array>
#include <system_error>

#include "base/atomic_file.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/table.h"
#include "base/text.h"
#include "data/contact_sheet.h"
#include "data/heat.h"
#include "json_text.h"
#include "tracker_text.h"

namespace bcx::cli {
namespace {

constexpr std::int64_t smallest_side = 224, largest_side = 512;

}  // namespace

ExplanationWriter::ExplanationWriter(const RunModel& model, std::filesystem::path folder)
    : model_(model), folder_(std::move(folder)) {
  std::error_code error;
  std::filesystem::create_directories(folder_, error);
  if (error)
    throw Error(ExitCode::storage, {"cannot be made: " + system_message(error.value()),
                                    printable(folder_.string()), "name another folder with --out"});
}

void ExplanationWriter::file(const std::string& name, std::span<const std::byte> bytes) {
  AtomicFile file(folder_ / name);
  file.write(bytes);
  file.commit();
  Sha256 sum;
  sum.update(bytes);
  files_.push_back({name, "explain", "", std::ssize(bytes), sum.hex()});
}

void ExplanationWriter::write(const ExplainedPicture& picture, const engine::Explained& one) {
  const auto& of_class = model_.classes[static_cast<std::size_t>(one.of_class)];
  const double score =
      model_.probabilities(one.logits).row(0)[static_cast<std::size_t>(one.of_class)];
  const auto heat = data::with_heat(one.picture, one.map, one.rows, one.columns);
  const std::array<data::Tile, 2> tiles{
      data::Tile{one.picture,
                 {picture.name, picture.target.empty() ? "" : "target: " + picture.target}},
      data::Tile{
          heat.view(),
          {fmt::format("predicted: {} {:.3f}", of_class, score), "Grad-CAM of " + of_class}}};
  const auto side = std::clamp(one.picture.height, smallest_side, largest_side);
  file(picture.stem + ".png", data::encode_png(data::contact_sheet(tiles, side, 2).view()));
  file(picture.stem + "-map.png", data::encode_png(heat.view()));

  nlohmann::ordered_json map = nlohmann::ordered_json::object();
  if (!picture.sample.empty()) map["sample"] = picture.sample;
  map["name"] = picture.name;
  map["file"] = picture.stem + "-map.png";
  map["picture"] = picture.stem + ".png";
  if (!picture.galleries.empty()) map["galleries"] = picture.galleries;
  if (!picture.target.empty()) map["target"] = picture.target;
  map["class"] = of_class;
  map["score"] = score;
  map["correlation"] = nullptr;
  if (one.random_correlation) {
    map["correlation"] = *one.random_correlation;
    sum_ += *one.random_correlation;
    ++defined_;
  }
  maps_.push_back(std::move(map));
}

std::optional<double> ExplanationWriter::correlation() const {
  if (defined_ == 0) return std::nullopt;
  return sum_ / static_cast<double>(defined_);
}

void ExplanationWriter::finish() {
  const auto mean = correlation();
  const nlohmann::ordered_json sanity{
      {"correlation", mean ? nlohmann::ordered_json(*mean) : nlohmann::ordered_json()},
      {"maps", defined_},
      {"draws", engine::explain_draws}};
  const nlohmann::ordered_json all{
      {"method", "Grad-CAM"},
      {"layer", "feature map of " + model_.opened.experiment.model.backbone.name},
      {"run", model_.run.id},
      {"checkpoint", model_.members.front().checkpoint.filename().string()},
      {"sanity", sanity},
      {"maps", maps_}};
  const auto text = dump(all) + "\n";
  file("explain.json", std::as_bytes(std::span(text)));
}

std::vector<tracker::ArtifactRow> ExplanationWriter::artifacts(const std::string& prefix) const {
  auto rows = files_;
  for (auto& row : rows) row.name.insert(0, prefix);
  return rows;
}

std::string ExplanationWriter::table(int width) const {
  Table table({{"file", Align::left, 0},
               {"picture", Align::left, 2},
               {"target", Align::left, 1},
               {"predicted", Align::left, 1},
               {"score", Align::right, 0},
               {"with random weights", Align::right, 0}});
  for (const auto& map : maps_)
    table.add({map.at("picture"), map.at("name"), map.value("target", ""), map.at("class"),
               fmt::format("{:.3f}", map.at("score").get<double>()),
               map.at("correlation").is_null()
                   ? "constant"
                   : fmt::format("{:.2f}", map.at("correlation").get<double>())});
  return table.text(width);
}

}  // namespace bcx::cli
