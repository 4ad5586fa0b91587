// ConvNeXt (Liu, Mao, Wu, Feichtenhofer, Darrell, Xie, CVPR 2022), as torchvision publishes it
// (torchvision/models/convnext.py). Easy to miss: layer normalisation has eps 1e-6 and runs over
// the channels of each pixel; the stem's normalisation follows its convolution, the others stand
// before theirs; convolutions have a bias; each block ends with a learned scale per channel that
// starts at 1e-6; the skip probability of block i of n is rate * i / (n - 1); convolutions and
// linear layers start from N(0, 0.02^2), cut at +-2, which is never reached; the published
// classifier normalises the pooled features first, and the map is not normalised.
#include <ATen/ATen.h>
#include <bcx/sdk/backbone.h>
#include <bcx/sdk/nn.h>
#include <bcx/sdk/plugin.h>

namespace convnext {
namespace {
namespace sdk = bcx::sdk;

constexpr double kEps = 1e-6;
constexpr double kDeviation = 0.02;
constexpr double kFirstScale = 1e-6;
constexpr std::array<std::int64_t, 4> kChannels{96, 192, 384, 768};

/// One published network: blocks of each stage.
struct Layout {
  std::array<std::int64_t, 4> blocks;
};

constexpr Layout kTiny{{3, 3, 9, 3}};
constexpr Layout kSmall{{3, 3, 27, 3}};

/// A layer normalisation over the channels of a map [N, C, H, W].
at::Tensor normalize_map(const sdk::LayerNorm& norm, const at::Tensor& map) {
  return norm.forward(map.permute({0, 2, 3, 1})).permute({0, 3, 1, 2});
}

/// torchvision's `block`: depthwise 7 x 7, and on each pixel normalisation, four times wider, gelu,
/// back. Permutations and gelu count in the numbering.
class BlockLayers : public torch::nn::Module {
 public:
  explicit BlockLayers(std::int64_t channels)
      : depthwise_(sdk::add<sdk::Conv2d>(
            *this, "0",
            sdk::Conv2dOptions{
                .in = channels, .out = channels, .kernel = 7, .groups = channels, .bias = true})),
        norm_(sdk::add<sdk::LayerNorm>(*this, "2", channels, kEps)),
        widen_(sdk::add<sdk::Linear>(*this, "3", channels, 4 * channels)),
        narrow_(sdk::add<sdk::Linear>(*this, "5", 4 * channels, channels)) {}

  at::Tensor forward(const at::Tensor& x) const {
    const auto pixels = norm_->forward(depthwise_->forward(x).permute({0, 2, 3, 1}));
    const auto wide = sdk::activate(widen_->forward(pixels), sdk::Activation::gelu);
    return narrow_->forward(wide).permute({0, 3, 1, 2});
  }

 private:
  std::shared_ptr<sdk::Conv2d> depthwise_;
  std::shared_ptr<sdk::LayerNorm> norm_;
  std::shared_ptr<sdk::Linear> widen_, narrow_;
};

/// x + skipped(layer_scale * layers(x)).
class Block : public torch::nn::Module {
 public:
  Block(std::int64_t channels, double skip)
      : layers_(sdk::add<BlockLayers>(*this, "block", channels)), skip_(skip) {
    scale_ = register_parameter("layer_scale", at::full({channels, 1, 1}, kFirstScale));
  }

  at::Tensor forward(const at::Tensor& x, sdk::ModelContext& context) const {
    return x + sdk::drop_path(scale_ * layers_->forward(x), skip_, is_training(), context);
  }

 private:
  std::shared_ptr<BlockLayers> layers_;
  at::Tensor scale_;
  double skip_;
};

/// Convolution of 4 x 4, stride 4, then normalisation: children `0` and `1`.
class Stem : public torch::nn::Module {
 public:
  Stem()
      : conv_(sdk::append<sdk::Conv2d>(*this, sdk::Conv2dOptions{.in = 3,
                                                                 .out = kChannels[0],
                                                                 .kernel = 4,
                                                                 .stride = 4,
                                                                 .padding = 0,
                                                                 .bias = true})),
        norm_(sdk::append<sdk::LayerNorm>(*this, kChannels[0], kEps)) {}

  at::Tensor forward(const at::Tensor& x) const { return normalize_map(*norm_, conv_->forward(x)); }

 private:
  std::shared_ptr<sdk::Conv2d> conv_;
  std::shared_ptr<sdk::LayerNorm> norm_;
};

/// Between two stages: normalisation, then a convolution of 2 x 2, stride 2.
class Downsample : public torch::nn::Module {
 public:
  Downsample(std::int64_t in, std::int64_t out)
      : norm_(sdk::append<sdk::LayerNorm>(*this, in, kEps)),
        conv_(sdk::append<sdk::Conv2d>(
            *this,
            sdk::Conv2dOptions{
                .in = in, .out = out, .kernel = 2, .stride = 2, .padding = 0, .bias = true})) {}

  at::Tensor forward(const at::Tensor& x) const { return conv_->forward(normalize_map(*norm_, x)); }

 private:
  std::shared_ptr<sdk::LayerNorm> norm_;
  std::shared_ptr<sdk::Conv2d> conv_;
};

/// torchvision's `features`: stem, stage, downsampling, stage, ..., numbered through.
class FeatureLayers : public torch::nn::Module {
 public:
  FeatureLayers(const Layout& layout, double skip_rate) : stem_(sdk::append<Stem>(*this)) {
    std::int64_t total = 0, index = 0;
    for (const auto blocks : layout.blocks) total += blocks;
    for (std::size_t i = 0; i < layout.blocks.size(); ++i) {
      if (i > 0)
        downsamples_.push_back(sdk::append<Downsample>(*this, kChannels[i - 1], kChannels[i]));
      stages_.push_back(sdk::append<sdk::Sequence<Block>>(*this));
      for (std::int64_t b = 0; b < layout.blocks[i]; ++b, ++index)
        stages_.back()->append(
            kChannels[i], skip_rate * static_cast<double>(index) / static_cast<double>(total - 1));
    }
  }

  at::Tensor forward(const at::Tensor& images, sdk::ModelContext& context) const {
    auto x = stem_->forward(images);
    for (std::size_t i = 0; i < stages_.size(); ++i) {
      if (i > 0) x = downsamples_[i - 1]->forward(x);
      x = stages_[i]->forward(x, context);
    }
    return x;
  }

 private:
  std::shared_ptr<Stem> stem_;
  std::vector<std::shared_ptr<Downsample>> downsamples_;
  std::vector<std::shared_ptr<sdk::Sequence<Block>>> stages_;
};

/// Normalisation, flattening, linear: children `0` and `2`.
class Classifier : public torch::nn::Module {
 public:
  Classifier()
      : norm_(sdk::add<sdk::LayerNorm>(*this, "0", kChannels.back(), kEps)),
        linear_(sdk::add<sdk::Linear>(*this, "2", kChannels.back(), sdk::kImageNetClasses)) {
    sdk::initialize_normal(*linear_, kDeviation);
  }

  at::Tensor forward(const at::Tensor& pooled) const {
    return linear_->forward(norm_->forward(pooled));
  }

 private:
  std::shared_ptr<sdk::LayerNorm> norm_;
  std::shared_ptr<sdk::Linear> linear_;
};

class ConvNeXt : public sdk::Backbone {
 public:
  ConvNeXt(const Layout& layout, const sdk::Params& params)
      : features_(sdk::add<FeatureLayers>(*this, "features", layout,
                                          params.get<double>("stochastic_depth_prob"))) {
    sdk::initialize_convolutions(*this, kDeviation);
    sdk::initialize_linears(*this, kDeviation);
  }

  sdk::Features forward(const at::Tensor& images, sdk::ModelContext& context) override {
    return {.map = features_->forward(images, context)};
  }

  std::int64_t channels() const override { return kChannels.back(); }
  std::int64_t smallest_size() const override { return 32; }  // a quarter, and three halvings

  void add_published_classifier() override {
    classifier_ = sdk::add<Classifier>(*this, "classifier");
  }

  at::Tensor published_logits(const sdk::Features& features, sdk::ModelContext& context) override {
    if (!classifier_) return Backbone::published_logits(features, context);
    return classifier_->forward(sdk::global_average(features.map));
  }

 private:
  std::shared_ptr<FeatureLayers> features_;
  std::shared_ptr<Classifier> classifier_;
};

}  // namespace
}  // namespace convnext

BCX_PLUGIN(bcx::sdk::backbone<convnext::ConvNeXt, convnext::kTiny>("convnext_tiny"),
           bcx::sdk::backbone<convnext::ConvNeXt, convnext::kSmall>("convnext_small"))
