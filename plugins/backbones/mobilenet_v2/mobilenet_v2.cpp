// MobileNetV2 (Sandler, Howard, Zhu, Zhmoginov, Chen, CVPR 2018, table 2), as torchvision publishes
// it (torchvision/models/mobilenetv2.py). Easy to miss: the activation is relu6 and the projection
// has none; the first block is not expanded, so its numbering is one less; eps and momentum are
// PyTorch's (1e-5, 0.1), not TensorFlow's.
#include <bcx/sdk/backbone.h>
#include <bcx/sdk/nn.h>
#include <bcx/sdk/plugin.h>

#include <optional>

namespace mobilenet_v2 {
namespace {
namespace sdk = bcx::sdk;

constexpr std::int64_t kStemChannels = 32;
constexpr std::int64_t kHeadChannels = 1280;

/// One row of the paper's table 2.
struct Row {
  std::int64_t expansion;
  std::int64_t out;
  std::int64_t blocks;
  std::int64_t stride;  ///< of the row's first block
};

constexpr Row kRows[] = {{1, 16, 1, 1}, {6, 24, 2, 2},  {6, 32, 3, 2}, {6, 64, 4, 2},
                         {6, 96, 3, 1}, {6, 160, 3, 2}, {6, 320, 1, 1}};

struct BlockOptions {
  std::int64_t in;
  std::int64_t out;
  std::int64_t stride;
  std::int64_t expansion;
};

/// [expand,] depthwise, project: torchvision's `conv`, where the projection and its normalisation
/// are two children of their own.
class BlockLayers : public torch::nn::Module {
 public:
  explicit BlockLayers(const BlockOptions& o) {
    const std::int64_t width = o.in * o.expansion;
    if (o.expansion != 1) append_layer({.in = o.in, .out = width});
    append_layer({.in = width, .out = width, .kernel = 3, .stride = o.stride, .groups = width});
    const auto number = layers_.size();
    project_.emplace(*this, std::to_string(number), std::to_string(number + 1),
                     sdk::Conv2dOptions{.in = width, .out = o.out});
  }

  at::Tensor forward(at::Tensor x) const {
    for (const auto& layer : layers_) x = layer->forward(x);
    return project_->forward(x);
  }

 private:
  void append_layer(const sdk::Conv2dOptions& options) {
    layers_.push_back(sdk::append<sdk::ConvNormActivation>(*this, options, sdk::BatchNormOptions{},
                                                           sdk::Activation::relu6));
  }

  std::vector<std::shared_ptr<sdk::ConvNormActivation>> layers_;
  std::optional<sdk::ConvNorm> project_;
};

/// Inverted residual: the layers, plus the input where the shape stays.
class Block : public torch::nn::Module {
 public:
  explicit Block(const BlockOptions& options)
      : layers_(sdk::add<BlockLayers>(*this, "conv", options)),
        residual_(options.stride == 1 && options.in == options.out) {}

  at::Tensor forward(const at::Tensor& x) const {
    auto y = layers_->forward(x);
    return residual_ ? y += x : y;
  }

 private:
  std::shared_ptr<BlockLayers> layers_;
  bool residual_;
};

/// torchvision's `features`: stem, blocks and a last convolution, numbered through.
class FeatureLayers : public torch::nn::Module {
 public:
  FeatureLayers() {
    const sdk::BatchNormOptions norm;
    stem_ = sdk::append<sdk::ConvNormActivation>(
        *this, sdk::Conv2dOptions{.in = 3, .out = kStemChannels, .kernel = 3, .stride = 2}, norm,
        sdk::Activation::relu6);
    std::int64_t channels = kStemChannels;
    for (const Row& row : kRows)
      for (std::int64_t i = 0; i < row.blocks; ++i) {
        blocks_.push_back(sdk::append<Block>(*this, BlockOptions{.in = channels,
                                                                 .out = row.out,
                                                                 .stride = i == 0 ? row.stride : 1,
                                                                 .expansion = row.expansion}));
        channels = row.out;
      }
    last_ = sdk::append<sdk::ConvNormActivation>(
        *this, sdk::Conv2dOptions{.in = channels, .out = kHeadChannels}, norm,
        sdk::Activation::relu6);
  }

  at::Tensor forward(const at::Tensor& images) const {
    auto x = stem_->forward(images);
    for (const auto& block : blocks_) x = block->forward(x);
    return last_->forward(x);
  }

 private:
  std::shared_ptr<sdk::ConvNormActivation> stem_;
  std::vector<std::shared_ptr<Block>> blocks_;
  std::shared_ptr<sdk::ConvNormActivation> last_;
};

class MobileNetV2 : public sdk::Backbone {
 public:
  explicit MobileNetV2(const sdk::Params& params)
      : features_(sdk::add<FeatureLayers>(*this, "features")),
        classifier_dropout_(params.get<double>("classifier_dropout")) {
    sdk::initialize_convolutions(*this, sdk::Fan::out);
  }

  sdk::Features forward(const at::Tensor& images, sdk::ModelContext&) override {
    return {.map = features_->forward(images)};
  }

  std::int64_t channels() const override { return kHeadChannels; }
  std::int64_t smallest_size() const override { return 1; }  // every halving rounds up

  void add_published_classifier() override {
    classifier_ =
        sdk::add<sdk::DropoutLinear>(*this, "classifier", kHeadChannels, classifier_dropout_);
    sdk::initialize_normal(classifier_->linear(), 0.01);
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
}  // namespace mobilenet_v2

BCX_PLUGIN(bcx::sdk::backbone<mobilenet_v2::MobileNetV2>("mobilenet_v2"))
