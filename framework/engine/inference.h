// What the engine is asked for with a model that is trained already. No torch.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "config/experiment.h"
#include "data/images.h"
#include "data/sample.h"
#include "plugin/catalog.h"

namespace bcx::engine {

/// One checkpoint to infer with.
struct Member {
  std::filesystem::path checkpoint;
  double temperature = 1.0;  ///< what its logits are divided by, where several are averaged
};

/// A run's model. Borrowed for the call.
struct TrainedModel {
  /// The run's own, with device, batch size (evaluate.batch_size) and views (evaluate.tta) as this
  /// call wants them.
  const config::Experiment& experiment;
  const plugin::PluginCatalog& catalog;
  std::vector<std::string> classes;  ///< the run's; every checkpoint must have been trained on them
  std::vector<Member> members;       ///< one; of several (folds) the mean probability counts
};

/// An image that a model has seen: of its run's training or validation part.
struct SeenSample {
  std::string name;
  std::vector<std::pair<std::string, std::string>> attributes;  ///< by name
};

/// Pictures to infer on, in files of any size; they are decoded as the run's were.
struct PredictRequest {
  TrainedModel model;
  std::span<const data::Sample> images;  ///< `path`, and `id` for the views of evaluate.tta
};

struct Predicted {
  std::size_t image = 0;  ///< index into the request's
  /// [classes] float32: what the model gave, as a run stores them; of several members or views the
  /// logarithm of the mean probability. Empty: the picture cannot be read.
  std::span<const float> logits;
  std::string problem;  ///< why it cannot be read
};
/// Called in the order of the images, on the calling thread. May throw to end the work.
using TakePredicted = std::function<void(const Predicted&)>;

/// Pictures to explain with Grad-CAM (model/grad_cam.h): files, or pixels that are there.
struct ExplainRequest {
  TrainedModel model;                    ///< of one member
  std::span<const data::Sample> images;  ///< as PredictRequest's
  data::PixelView pixels = {};           ///< aligned with `images`; then no file is opened
  /// The class to explain, of a picture's logits.
  std::function<int(std::span<const float> logits)> explained_class;
};

/// Random last layers that a map is compared with.
inline constexpr int explain_draws = 10;

/// Everything is borrowed for the call.
struct Explained {
  std::size_t image = 0;
  std::string problem = {};  ///< not empty: unreadable, and nothing else is set
  std::span<const float> logits = {};
  int of_class = 0;
  data::ImageView picture = {};     ///< as it was decoded, before the model's scaling
  std::span<const float> map = {};  ///< [rows, columns], at least 0
  std::int64_t rows = 0, columns = 0;
  /// Mean rank correlation (Spearman) with the maps of the same network when its last layer's
  /// weights are random, after Adebayo et al. 2018: near 0 for a map that comes of what was learnt.
  /// None where the map is constant.
  std::optional<double> random_correlation = std::nullopt;
};
using TakeExplained = std::function<void(const Explained&)>;

}  // namespace bcx::engine
