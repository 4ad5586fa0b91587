#include "predict_imagenet.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"
#include "json_text.h"
#include "load_engine.h"
#include "plugin/catalog.h"
#include "weights/resolve.h"

namespace bcx::cli {
namespace {

namespace fs = std::filesystem;

bool has_picture_name(const fs::path& path) {
  std::string extension = path.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  for (const char* known : {".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp"})
    if (extension == known) return true;
  return false;
}

/// A file is taken by any name; of a folder, what is named like a picture, sorted, not below it.
std::vector<fs::path> pictures_of(const std::vector<std::string>& paths) {
  std::vector<fs::path> pictures;
  for (const fs::path path : paths) {
    std::error_code failed;
    if (!fs::is_directory(path, failed)) {
      pictures.push_back(path);
      continue;
    }
    std::vector<fs::path> inside;
    for (const auto& entry : fs::directory_iterator(path))
      if (entry.is_regular_file() && has_picture_name(entry.path())) inside.push_back(entry.path());
    if (inside.empty())
      throw Error(ExitCode::data, {"there is no picture in this folder", printable(path.string()),
                                   "name pictures (PNG, JPEG, TIFF, BMP)"});
    std::sort(inside.begin(), inside.end());
    pictures.insert(pictures.end(), inside.begin(), inside.end());
  }
  return pictures;
}

fs::path published_file(const std::string& backbone) {
  const auto* entry = weights::find_weights(backbone);
  if (!entry)
    throw Error(
        ExitCode::data,
        {fmt::format("bcx knows no ImageNet weights for the backbone \"{}\"", printable(backbone)),
         "--backbone", "name a .safetensors file with --weights"});
  if (weights::is_cached(entry->name)) return weights::cached_path(entry->name);
  if (isatty(STDIN_FILENO) && isatty(STDERR_FILENO)) return weights::fetch_weights(*entry);
  throw Error(
      ExitCode::data,
      {fmt::format("the ImageNet weights of \"{}\" are not on this machine", entry->name),
       {},
       fmt::format("fetch them with `bcx weights fetch {}`, or name a .safetensors file with "
                   "--weights",
                   entry->name)});
}

fs::path weights_file(const ImageNetOptions& options) {
  if (options.weights == "imagenet") return published_file(options.backbone);
  std::error_code failed;
  if (fs::is_regular_file(options.weights, failed)) return options.weights;
  throw Error(ExitCode::data, {"no such weights file", printable(options.weights),
                               "--weights is `imagenet` or a .safetensors file's path"});
}

nlohmann::ordered_json json_of(const engine::ImageNetPrediction& prediction) {
  nlohmann::ordered_json json{{"picture", prediction.picture.string()}};
  if (!prediction.problem.empty()) {
    json["problem"] = prediction.problem;
    return json;
  }
  for (const auto& one : prediction.classes)
    json["classes"].push_back(
        {{"index", one.index}, {"name", one.name}, {"probability", one.probability}});
  return json;
}

void print(const engine::ImageNetPrediction& prediction) {
  fmt::print("{}\n", printable(prediction.picture.string()));
  for (const auto& one : prediction.classes)
    fmt::print("  {:6.2f} %  {}\n", 100.0 * one.probability, one.name);
}

}  // namespace

int predict_imagenet(const ImageNetOptions& options) {
  plugin::Search search;
  search.command_line.assign(options.plugin_folders.begin(), options.plugin_folders.end());
  const plugin::PluginCatalog catalog(search);
  engine::ImageNetRequest request{.catalog = catalog,
                                  .backbone = options.backbone,
                                  .weights = weights_file(options),
                                  .input = {},
                                  .pictures = pictures_of(options.paths),
                                  .top = options.top,
                                  .device = options.device};
  if (const auto* entry = weights::find_weights(options.backbone)) request.input = entry->input;
  const auto predictions = load_engine().predict_imagenet(request);

  bool all = true;
  auto json = nlohmann::ordered_json::array();
  for (const auto& prediction : predictions) {
    if (options.json) json.push_back(json_of(prediction));
    if (prediction.problem.empty()) {
      if (!options.json) print(prediction);
      continue;
    }
    all = false;
    fmt::print(stderr, "error: {}: {}\n", printable(prediction.picture.string()),
               printable(prediction.problem));
  }
  if (options.json) fmt::print("{}\n", dump(json));
  return static_cast<int>(all ? ExitCode::ok : ExitCode::data);
}

}  // namespace bcx::cli
