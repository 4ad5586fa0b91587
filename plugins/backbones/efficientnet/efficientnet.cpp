// EfficientNet (Tan & Le, ICML 2019) and EfficientNetV2 (Tan & Le, ICML 2021), as torchvision
// publishes them (torchvision/models/efficientnet.py). Easy to miss: padding is symmetric, not
// TensorFlow's; b0 to b3 have eps 1e-5, v2_s 1e-3; the squeeze is a quarter of the block's input
// channels, not of the expanded ones, and its activation is silu too; stages of v2 without
// squeeze-excitation fuse expansion and depthwise convolution into one, which is all of a block
// that does not expand; the skip probability of block i of n is rate * i / n, so that the last
// block stays below the rate; width and depth multipliers scale the stem and every stage.
#include <bcx/sdk/backbone.h>
#include <bcx/sdk/nn.h>
#include <bcx/sdk/plugin.h>

#include <cmath>
#include <span>

namespace efficientnet {
namespace {
namespace sdk = bcx::sdk;

constexpr auto kSilu = sdk::Activation::silu;

/// A stage of the unscaled network.
struct StageRow {
  bool fused;  ///< one k x k convolution in place of expansion and depthwise convolution
  std::int64_t expansion;
  std::int64_t kernel;
  std::int64_t stride;  ///< of the first block
  std::int64_t in;
  std::int64_t out;
  std::int64_t blocks;
};

/// Tan & Le 2019, table 1.
constexpr StageRow kB0Rows[] = {{false, 1, 3, 1, 32, 16, 1},  {false, 6, 3, 2, 16, 24, 2},
                                {false, 6, 5, 2, 24, 40, 2},  {false, 6, 3, 2, 40, 80, 3},
                                {false, 6, 5, 1, 80, 112, 3}, {false, 6, 5, 2, 112, 192, 4},
                                {false, 6, 3, 1, 192, 320, 1}};
/// Tan & Le 2021, table 4, with the 24 input channels of the authors' code.
constexpr StageRow kV2SmallRows[] = {{true, 1, 3, 1, 24, 24, 2},    {true, 4, 3, 2, 24, 48, 4},
                                     {true, 4, 3, 2, 48, 64, 4},    {false, 4, 3, 2, 64, 128, 6},
                                     {false, 6, 3, 1, 128, 160, 9}, {false, 6, 3, 2, 160, 256, 15}};

/// One published network.
struct Layout {
  std::span<const StageRow> rows;
  double width;
  double depth;
  std::int64_t head;  ///< channels of the last convolution; 0: four times those before it
  double eps;         ///< of batch normalisation
};

constexpr Layout kB0{kB0Rows, 1.0, 1.0, 0, 1e-5};
constexpr Layout kB1{kB0Rows, 1.0, 1.1, 0, 1e-5};
constexpr Layout kB2{kB0Rows, 1.1, 1.2, 0, 1e-5};
constexpr Layout kB3{kB0Rows, 1.2, 1.4, 0, 1e-5};
constexpr Layout kV2Small{kV2SmallRows, 1.0, 1.0, 1280, 1e-3};

std::int64_t scaled_channels(std::int64_t channels, const Layout& layout) {
  return sdk::make_divisible(static_cast<double>(channels) * layout.width);
}

std::int64_t scaled_blocks(const StageRow& row, const Layout& layout) {
  return static_cast<std::int64_t>(std::ceil(static_cast<double>(row.blocks) * layout.depth));
}

struct BlockOptions {
  bool fused;
  std::int64_t in;
  std::int64_t out;
  std::int64_t kernel;
  std::int64_t stride;
  std::int64_t expansion;
  double skip;  ///< probability that a sample skips the block
  sdk::BatchNormOptions norm;
};

/// torchvision's `block`: [expand,] depthwise, squeeze-excitation, project; or, fused, expand and
/// project, or one convolution alone.
class BlockLayers : public torch::nn::Module {
 public:
  explicit BlockLayers(const BlockOptions& o) {
    const std::int64_t width = o.in * o.expansion;
    if (o.fused) {
      const bool expands = width != o.in;
      append_layer(
          {.in = o.in, .out = expands ? width : o.out, .kernel = o.kernel, .stride = o.stride},
          o.norm, kSilu);
      if (!expands) return;
    } else {
      if (width != o.in) append_layer({.in = o.in, .out = width}, o.norm, kSilu);
      append_layer(
          {.in = width, .out = width, .kernel = o.kernel, .stride = o.stride, .groups = width},
          o.norm, kSilu);
      squeeze_ = sdk::append<sdk::SqueezeExcitation>(
          *this, sdk::SqueezeExcitationOptions{.channels = width,
                                               .squeezed = std::max<std::int64_t>(1, o.in / 4),
                                               .activation = kSilu});
    }
    project_ = sdk::append<sdk::ConvNormActivation>(
        *this, sdk::Conv2dOptions{.in = width, .out = o.out}, o.norm, sdk::Activation::none);
  }

  at::Tensor forward(at::Tensor x) const {
    for (const auto& layer : layers_) x = layer->forward(x);
    if (squeeze_) x = squeeze_->forward(x);
    return project_ ? project_->forward(x) : x;
  }

 private:
  void append_layer(const sdk::Conv2dOptions& convolution, const sdk::BatchNormOptions& norm,
                    sdk::Activation activation) {
    layers_.push_back(sdk::append<sdk::ConvNormActivation>(*this, convolution, norm, activation));
  }

  std::vector<std::shared_ptr<sdk::ConvNormActivation>> layers_;
  std::shared_ptr<sdk::SqueezeExcitation> squeeze_;
  std::shared_ptr<sdk::ConvNormActivation> project_;
};

/// The layers, plus the input where the shape stays.
class Block : public torch::nn::Module {
 public:
  explicit Block(const BlockOptions& options)
      : layers_(sdk::add<BlockLayers>(*this, "block", options)),
        residual_(options.stride == 1 && options.in == options.out),
        skip_(options.skip) {}

  at::Tensor forward(const at::Tensor& x, sdk::ModelContext& context) const {
    const auto y = layers_->forward(x);
    return residual_ ? sdk::drop_path(y, skip_, is_training(), context) + x : y;
  }

 private:
  std::shared_ptr<BlockLayers> layers_;
  bool residual_;
  double skip_;
};

/// torchvision's `features`: stem, stages, last convolution.
class FeatureLayers : public torch::nn::Module {
 public:
  FeatureLayers(const Layout& layout, double skip_rate) {
    const sdk::BatchNormOptions norm{.eps = layout.eps};
    std::int64_t channels = scaled_channels(layout.rows.front().in, layout);
    stem_ = sdk::append<sdk::ConvNormActivation>(
        *this, sdk::Conv2dOptions{.in = 3, .out = channels, .kernel = 3, .stride = 2}, norm, kSilu);
    std::int64_t total = 0, index = 0;
    for (const StageRow& row : layout.rows) total += scaled_blocks(row, layout);
    for (const StageRow& row : layout.rows) {
      stages_.push_back(sdk::append<sdk::Sequence<Block>>(*this));
      for (std::int64_t i = 0; i < scaled_blocks(row, layout); ++i, ++index) {
        const BlockOptions options{
            .fused = row.fused,
            .in = channels,
            .out = scaled_channels(row.out, layout),
            .kernel = row.kernel,
            .stride = i == 0 ? row.stride : 1,
            .expansion = row.expansion,
            .skip = skip_rate * static_cast<double>(index) / static_cast<double>(total),
            .norm = norm};
        stages_.back()->append(options);
        channels = options.out;
      }
    }
    channels_ = layout.head > 0 ? layout.head : 4 * channels;
    last_ = sdk::append<sdk::ConvNormActivation>(
        *this, sdk::Conv2dOptions{.in = channels, .out = channels_}, norm, kSilu);
  }

  at::Tensor forward(const at::Tensor& images, sdk::ModelContext& context) const {
    auto x = stem_->forward(images);
    for (const auto& stage : stages_) x = stage->forward(x, context);
    return last_->forward(x);
  }

  std::int64_t channels() const { return channels_; }

 private:
  std::shared_ptr<sdk::ConvNormActivation> stem_;
  std::vector<std::shared_ptr<sdk::Sequence<Block>>> stages_;
  std::shared_ptr<sdk::ConvNormActivation> last_;
  std::int64_t channels_ = 0;
};

class EfficientNet : public sdk::Backbone {
 public:
  EfficientNet(const Layout& layout, const sdk::Params& params)
      : features_(sdk::add<FeatureLayers>(*this, "features", layout,
                                          params.get<double>("stochastic_depth_prob"))),
        classifier_dropout_(params.get<double>("classifier_dropout")) {
    sdk::initialize_convolutions(*this, sdk::Fan::out);
  }

  sdk::Features forward(const at::Tensor& images, sdk::ModelContext& context) override {
    return {.map = features_->forward(images, context)};
  }

  std::int64_t channels() const override { return features_->channels(); }
  std::int64_t smallest_size() const override { return 1; }  // every halving rounds up

  void add_published_classifier() override {
    classifier_ =
        sdk::add<sdk::DropoutLinear>(*this, "classifier", channels(), classifier_dropout_);
    sdk::initialize_uniform(classifier_->linear(),
                            1.0 / std::sqrt(static_cast<double>(sdk::kImageNetClasses)));
  }

  at::Tensor published_logits(const sdk::Features& features, sdk::ModelContext& context) override {
    if (!classifier_) return Backbone::published_logits(features, context);
    return classifier_->forward(sdk::global_average(features.map), context);
  }

 private:
  std::shared_ptr<FeatureLayers> features_;
  double classifier_dropout_;
  std::shared_ptr<sdk::DropoutLinear> classifier_;
};

}  // namespace
}  // namespace efficientnet

BCX_PLUGIN(
    bcx::sdk::backbone<efficientnet::EfficientNet, efficientnet::kB0>("efficientnet_b0"),
    bcx::sdk::backbone<efficientnet::EfficientNet, efficientnet::kB1>("efficientnet_b1"),
    bcx::sdk::backbone<efficientnet::EfficientNet, efficientnet::kB2>("efficientnet_b2"),
    bcx::sdk::backbone<efficientnet::EfficientNet, efficientnet::kB3>("efficientnet_b3"),
    bcx::sdk::backbone<efficientnet::EfficientNet, efficientnet::kV2Small>("efficientnet_v2_s"))
