#include "engine/imagenet.h"

#include <fmt/format.h>
#include <torch/utils.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/text.h"
#include "bcx/sdk/inference.h"
#include "bcx/sdk/nn.h"
#include "engine/components.h"
#include "engine/imagenet_classes.h"
#include "engine/load_weights.h"
#include "model/parameters.h"
#include "train/device.h"

namespace bcx::engine {
namespace {

constexpr std::int64_t longest_aspect = 64;

/// One pass of Pillow's resampling, whose results are bytes again.
at::Tensor resampled(const at::Tensor& picture, at::IntArrayRef size,
                     const std::string& interpolation) {
  const auto values = interpolation == "bicubic"
                          ? at::_upsample_bicubic2d_aa(picture, size, /*align_corners=*/false)
                          : at::_upsample_bilinear2d_aa(picture, size, /*align_corners=*/false);
  return values.round().clamp(0, 255);
}

/// Across, then down, as Pillow does it: what overshoots an edge across is cut off before it is
/// spread down (up to four levels of 255 with the bicubic kernel).
at::Tensor scaled(const at::Tensor& picture, const weights::PublishedInput& input) {
  const auto height = picture.size(2), width = picture.size(3);
  const auto shorter = std::min(height, width);
  const auto tall = input.resize * height / shorter, wide = input.resize * width / shorter;
  return resampled(resampled(picture, {height, wide}, input.interpolation), {tall, wide},
                   input.interpolation);
}

/// Of an odd margin the half rounds to even, as Python's round() has it.
std::int64_t margin(std::int64_t side, std::int64_t crop) {
  return std::lrint(static_cast<double>(side - crop) / 2.0);
}

config::Experiment experiment_of(const ImageNetRequest& request) {
  const auto* spec = request.catalog.find(config::ComponentKind::backbone, request.backbone);
  if (!spec) {
    const auto names = request.catalog.names(config::ComponentKind::backbone);
    throw Error(ExitCode::usage,
                {fmt::format("no plugin offers a backbone \"{}\"", printable(request.backbone)),
                 {},
                 did_you_mean(request.backbone, names)});
  }
  config::Experiment experiment;
  auto& component = experiment.model.backbone;
  component.kind = config::ComponentKind::backbone;
  component.name = component.instance = spec->name;
  component.plugin = spec->plugin;
  for (const auto& param : spec->params) {
    if (!param.default_value)
      throw Error(ExitCode::usage, fmt::format("backbone \"{}\" needs \"{}\", which only an "
                                               "experiment can give",
                                               spec->name, param.name));
    component.params[param.name] = *param.default_value;
  }
  experiment.model.head.kind = "published";
  experiment.data.image_size = request.input.crop;
  return experiment;
}

std::vector<ImageNetClass> best(const at::Tensor& logits, std::int64_t top) {
  const auto probabilities = logits.to(at::kCPU, at::kDouble).softmax(1)[0];
  const auto [values, indexes] = probabilities.topk(std::min(top, probabilities.size(0)));
  std::vector<ImageNetClass> classes;
  for (std::int64_t i = 0; i < values.size(0); ++i) {
    const auto index = indexes[i].item<std::int64_t>();
    classes.push_back(
        {index, imagenet_classes()[static_cast<std::size_t>(index)], values[i].item<double>()});
  }
  return classes;
}

}  // namespace

at::Tensor published_input(data::ImageView picture, const weights::PublishedInput& input,
                           const sdk::Normalization& normalization) {
  const auto [shorter, longer] = std::minmax(picture.height, picture.width);
  if (longer > longest_aspect * shorter)
    throw Error(ExitCode::data,
                fmt::format("the picture is {} x {} pixels: expected a longer side of at most {} "
                            "times the shorter one",
                            picture.width, picture.height, longest_aspect));
  const auto options = at::TensorOptions(at::kByte);
  // from_blob wants a pointer that it could write through; it is only read.
  const auto bytes = at::from_blob(const_cast<std::uint8_t*>(picture.rgb),
                                   {1, picture.height, picture.width, 3}, options);
  const auto whole = scaled(bytes.permute({0, 3, 1, 2}).to(at::kFloat).contiguous(), input);
  const auto top = margin(whole.size(2), input.crop), left = margin(whole.size(3), input.crop);
  const auto square = whole.narrow(2, top, input.crop).narrow(3, left, input.crop) / 255.0;
  const auto column = [](const std::array<double, 3>& values) {
    return at::tensor(at::ArrayRef<double>(values), at::kFloat).view({1, 3, 1, 1});
  };
  return (square - column(normalization.mean)) / column(normalization.std);
}

std::vector<ImageNetPrediction> predict_imagenet(const ImageNetRequest& request) {
  const auto experiment = experiment_of(request);
  const auto device = train::resolve_device(request.device);
  const auto built = build_classifier(experiment, request.catalog, sdk::kImageNetClasses);
  auto& classifier = *built.object;
  classifier.to(device);
  const model::FlatParameters parameters(classifier);
  load_weights(request.weights, parameters);
  classifier.eval();

  const at::NoGradGuard no_grad;
  const sdk::InferenceScope weights_stay;
  sdk::ModelContext context;  // evaluation draws nothing
  const auto normalization = classifier.backbone().normalization();
  std::vector<ImageNetPrediction> predictions;
  for (const auto& path : request.pictures) {
    auto& prediction = predictions.emplace_back(ImageNetPrediction{path, {}, {}});
    try {
      const auto decoded = data::read_image(path);
      const auto input = published_input(decoded.image.view(), request.input, normalization)
                             .to(device)
                             .contiguous(at::MemoryFormat::ChannelsLast);
      const auto logits =
          built.site("the forward pass", [&] { return classifier.forward(input, context); });
      prediction.classes = best(logits, request.top);
    } catch (const Error& error) {
      if (error.code() != ExitCode::data) throw;
      prediction.problem = error.parts().what;
    }
  }
  return predictions;
}

}  // namespace bcx::engine
