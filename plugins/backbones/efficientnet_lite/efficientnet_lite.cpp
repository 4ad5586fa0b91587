// EfficientNet-Lite (Google's variant of Tan & Le, ICML 2019, for edge devices), as timm publishes
// its tf_efficientnet_lite*. Easy to miss: padding is TensorFlow's SAME; eps is 1e-3; there is no
// squeeze-excitation, and relu6 in place of swish; width and depth multipliers leave the stem, the
// 1,280 channels of the head, and the depth of the first and last stage alone; inputs are scaled by
// (x - 0.5) / 0.5.
#include <ATen/ATen.h>
#include <bcx/sdk/backbone.h>
#include <bcx/sdk/nn.h>
#include <bcx/sdk/plugin.h>

#include <cmath>

namespace efficientnet_lite {
namespace {
namespace sdk = bcx::sdk;

constexpr sdk::BatchNormOptions kNorm{.eps = 1e-3, .momentum = 0.1};
constexpr std::int64_t kStemChannels = 32;
constexpr std::int64_t kHeadChannels = 1280;

/// The multipliers of one published network.
struct Layout {
  double width;
  double depth;
};

constexpr Layout kLite0{1.0, 1.0};
constexpr Layout kLite1{1.0, 1.1};
constexpr Layout kLite2{1.1, 1.2};

/// A stage of the baseline network, EfficientNet-B0 (Tan & Le, table 1).
struct StageRow {
  std::int64_t blocks;
  std::int64_t kernel;
  std::int64_t stride;
  std::int64_t expansion;
  std::int64_t out;
};

constexpr std::array<StageRow, 7> kStages{{{1, 3, 1, 1, 16},
                                           {2, 3, 2, 6, 24},
                                           {2, 5, 2, 6, 40},
                                           {3, 3, 2, 6, 80},
                                           {3, 5, 1, 6, 112},
                                           {4, 5, 2, 6, 192},
                                           {1, 3, 1, 6, 320}}};

std::int64_t scaled_blocks(std::size_t stage, double depth) {
  const bool fixed = stage == 0 || stage + 1 == kStages.size();
  const std::int64_t blocks = kStages[stage].blocks;
  return fixed ? blocks : static_cast<std::int64_t>(std::ceil(static_cast<double>(blocks) * depth));
}

std::int64_t scaled_channels(std::size_t stage, double width) {
  return sdk::make_divisible(static_cast<double>(kStages[stage].out) * width);
}

std::int64_t total_blocks(double depth) {
  std::int64_t total = 0;
  for (std::size_t i = 0; i < kStages.size(); ++i) total += scaled_blocks(i, depth);
  return total;
}

sdk::ConvNorm conv_norm(torch::nn::Module& parent, const std::string& conv_name,
                        const std::string& norm_name, sdk::Conv2dOptions options) {
  options.padding_mode = sdk::Padding::same;
  return {parent, conv_name, norm_name, options, kNorm};
}

struct BlockOptions {
  std::int64_t in;
  std::int64_t out;
  std::int64_t kernel;
  std::int64_t stride;
  std::int64_t expansion;
  double drop_path;  ///< probability that a sample skips the block
};

/// [1x1 expansion,] depthwise convolution, 1x1 projection without activation; plus the input where
/// the shape stays. Without expansion it is timm's DepthwiseSeparableConv (conv_dw, conv_pw), with
/// it InvertedResidual (conv_pw, conv_dw, conv_pwl).
class Block : public torch::nn::Module {
 public:
  explicit Block(const BlockOptions& o)
      : residual_(o.stride == 1 && o.in == o.out), drop_path_(o.drop_path) {
    const std::int64_t width = o.in * o.expansion;
    const bool expands = o.expansion != 1;
    if (expands) layers_.push_back(conv_norm(*this, "conv_pw", "bn1", {.in = o.in, .out = width}));
    layers_.push_back(conv_norm(
        *this, "conv_dw", expands ? "bn2" : "bn1",
        {.in = width, .out = width, .kernel = o.kernel, .stride = o.stride, .groups = width}));
    layers_.push_back(conv_norm(*this, expands ? "conv_pwl" : "conv_pw", expands ? "bn3" : "bn2",
                                {.in = width, .out = o.out}));
  }

  at::Tensor forward(const at::Tensor& x, sdk::ModelContext& context) const {
    auto y = x;
    for (std::size_t i = 0; i + 1 < layers_.size(); ++i)
      y = layers_[i].forward(y, sdk::Activation::relu6);
    y = layers_.back().forward(y, sdk::Activation::none);
    return residual_ ? sdk::drop_path(y, drop_path_, is_training(), context) + x : y;
  }

 private:
  std::vector<sdk::ConvNorm> layers_;
  bool residual_;
  double drop_path_;
};

/// All stages: timm's `blocks`; the first block of each has the stride. The probability of skipping
/// a block rises linearly from 0, as timm has it: rate * index / blocks.
class Stages : public torch::nn::Module {
 public:
  Stages(const Layout& layout, double drop_path_rate) {
    const auto total = static_cast<double>(total_blocks(layout.depth));
    std::int64_t channels = kStemChannels;
    std::int64_t index = 0;
    for (std::size_t i = 0; i < kStages.size(); ++i) {
      const StageRow& row = kStages[i];
      stages_.push_back(sdk::append<sdk::Sequence<Block>>(*this));
      const std::int64_t out = scaled_channels(i, layout.width);
      for (std::int64_t b = 0; b < scaled_blocks(i, layout.depth); ++b, ++index) {
        stages_.back()->append(
            BlockOptions{.in = channels,
                         .out = out,
                         .kernel = row.kernel,
                         .stride = b == 0 ? row.stride : 1,
                         .expansion = row.expansion,
                         .drop_path = drop_path_rate * static_cast<double>(index) / total});
        channels = out;
      }
    }
  }

  at::Tensor forward(at::Tensor x, sdk::ModelContext& context) const {
    for (const auto& stage : stages_) x = stage->forward(x, context);
    return x;
  }

 private:
  std::vector<std::shared_ptr<sdk::Sequence<Block>>> stages_;
};

class EfficientNetLite : public sdk::Backbone {
 public:
  EfficientNetLite(const Layout& layout, const sdk::Params& params)
      : stem_(conv_norm(*this, "conv_stem", "bn1",
                        {.in = 3, .out = kStemChannels, .kernel = 3, .stride = 2})),
        blocks_(sdk::add<Stages>(*this, "blocks", layout, params.get<double>("drop_path_rate"))),
        head_(conv_norm(
            *this, "conv_head", "bn2",
            {.in = scaled_channels(kStages.size() - 1, layout.width), .out = kHeadChannels})),
        classifier_dropout_(params.get<double>("classifier_dropout")) {
    sdk::initialize_convolutions(*this, sdk::Fan::out_per_group);
  }

  sdk::Features forward(const at::Tensor& images, sdk::ModelContext& context) override {
    const auto x = blocks_->forward(stem_.forward(images, sdk::Activation::relu6), context);
    return {.map = head_.forward(x, sdk::Activation::relu6)};
  }

  std::int64_t channels() const override { return kHeadChannels; }
  std::int64_t smallest_size() const override { return 1; }  // SAME padding always rounds up
  sdk::Normalization normalization() const override {
    return {.mean = {0.5, 0.5, 0.5}, .std = {0.5, 0.5, 0.5}};
  }

  void add_published_classifier() override {
    classifier_ = sdk::add<sdk::Linear>(*this, "classifier", kHeadChannels, sdk::kImageNetClasses);
    sdk::initialize_uniform(*classifier_,
                            1.0 / std::sqrt(static_cast<double>(sdk::kImageNetClasses)));
  }

  at::Tensor published_logits(const sdk::Features& features, sdk::ModelContext& context) override {
    if (!classifier_) return Backbone::published_logits(features, context);
    const auto pooled = sdk::global_average(features.map);
    return classifier_->forward(sdk::dropout(pooled, classifier_dropout_, is_training(), context));
  }

 private:
  sdk::ConvNorm stem_;
  std::shared_ptr<Stages> blocks_;
  sdk::ConvNorm head_;
  double classifier_dropout_;
  std::shared_ptr<sdk::Linear> classifier_;
};

}  // namespace
}  // namespace efficientnet_lite

BCX_PLUGIN(bcx::sdk::backbone<efficientnet_lite::EfficientNetLite, efficientnet_lite::kLite0>(
               "tf_efficientnet_lite0"),
           bcx::sdk::backbone<efficientnet_lite::EfficientNetLite, efficientnet_lite::kLite1>(
               "tf_efficientnet_lite1"),
           bcx::sdk::backbone<efficientnet_lite::EfficientNetLite, efficientnet_lite::kLite2>(
               "tf_efficientnet_lite2"))
