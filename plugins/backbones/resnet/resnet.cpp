// Residual networks (He, Zhang, Ren, Sun, CVPR 2016), as torchvision publishes them: "v1.5", that
// is, a bottleneck's stride sits in its 3x3 convolution. ResNeXt (Xie et al. 2017) splits that
// convolution into groups; Wide ResNet (Zagoruyko & Komodakis 2016) widens it.
#include <ATen/ATen.h>
#include <bcx/sdk/backbone.h>
#include <bcx/sdk/nn.h>
#include <bcx/sdk/plugin.h>

namespace resnet {
namespace {
namespace sdk = bcx::sdk;

/// One published network.
struct Layout {
  std::array<std::int64_t, 4> blocks;  ///< of each stage
  bool bottleneck;                     ///< blocks of 1x1, 3x3, 1x1 convolutions; else of two 3x3
  std::int64_t groups = 1;             ///< of the bottleneck's 3x3 convolution
  std::int64_t group_width = 64;       ///< its channels per group in the first stage
};

constexpr Layout kResNet18{{2, 2, 2, 2}, false};
constexpr Layout kResNet34{{3, 4, 6, 3}, false};
constexpr Layout kResNet50{{3, 4, 6, 3}, true};
constexpr Layout kResNet101{{3, 4, 23, 3}, true};
constexpr Layout kResNeXt50{{3, 4, 6, 3}, true, 32, 4};
constexpr Layout kWideResNet50{{3, 4, 6, 3}, true, 1, 128};

constexpr std::int64_t kExpansion = 4;  ///< of a bottleneck's last convolution

/// torchvision's names: conv1 and bn1, conv2 and bn2, ...
sdk::ConvNorm numbered(torch::nn::Module& parent, const std::string& number,
                       const sdk::Conv2dOptions& options) {
  return {parent, "conv" + number, "bn" + number, options};
}

/// What a block makes of its input.
struct BlockShape {
  std::int64_t in;
  std::int64_t width;  ///< of the 3x3 convolution
  std::int64_t out;
  std::int64_t stride;
};

/// relu(residual(x) + shortcut(x)). The shortcut is x itself, or a 1x1 convolution and a
/// normalisation where the shape changes (`downsample`).
class Block : public torch::nn::Module {
 public:
  Block(const Layout& layout, const BlockShape& shape) {
    if (layout.bottleneck)
      add_bottleneck(layout, shape);
    else
      add_basic(shape);
    if (shape.stride != 1 || shape.in != shape.out)
      downsample_ = sdk::add<sdk::ConvNormActivation>(
          *this, "downsample",
          sdk::Conv2dOptions{.in = shape.in, .out = shape.out, .stride = shape.stride},
          sdk::BatchNormOptions{}, sdk::Activation::none);
  }

  at::Tensor forward(const at::Tensor& x) const {
    auto y = x;
    for (std::size_t i = 0; i + 1 < layers_.size(); ++i)
      y = layers_[i].forward(y, sdk::Activation::relu);
    y = layers_.back().forward(y);
    y += downsample_ ? downsample_->forward(x) : x;
    return sdk::activate(y, sdk::Activation::relu);
  }

  sdk::BatchNorm2d& last_norm() { return *layers_.back().norm; }

 private:
  void add_basic(const BlockShape& s) {
    layers_.push_back(
        numbered(*this, "1", {.in = s.in, .out = s.out, .kernel = 3, .stride = s.stride}));
    layers_.push_back(numbered(*this, "2", {.in = s.out, .out = s.out, .kernel = 3}));
  }

  void add_bottleneck(const Layout& layout, const BlockShape& s) {
    layers_.push_back(numbered(*this, "1", {.in = s.in, .out = s.width}));
    layers_.push_back(numbered(
        *this, "2",
        {.in = s.width, .out = s.width, .kernel = 3, .stride = s.stride, .groups = layout.groups}));
    layers_.push_back(numbered(*this, "3", {.in = s.width, .out = s.out}));
  }

  std::vector<sdk::ConvNorm> layers_;
  std::shared_ptr<sdk::ConvNormActivation> downsample_;
};

/// Blocks of equal width; the first one halves height and width (not in the first stage).
class Stage : public torch::nn::Module {
 public:
  Stage(const Layout& layout, std::size_t index, std::int64_t in) {
    const std::int64_t base = std::int64_t{64} << index;
    const std::int64_t width = (base * layout.group_width / 64) * layout.groups;
    channels_ = layout.bottleneck ? base * kExpansion : base;
    for (std::int64_t i = 0; i < layout.blocks[index]; ++i)
      blocks_.push_back(sdk::add<Block>(*this, std::to_string(i), layout,
                                        BlockShape{.in = i == 0 ? in : channels_,
                                                   .width = width,
                                                   .out = channels_,
                                                   .stride = i == 0 && index > 0 ? 2 : 1}));
  }

  at::Tensor forward(at::Tensor x) const {
    for (const auto& block : blocks_) x = block->forward(x);
    return x;
  }

  std::int64_t channels() const { return channels_; }
  const std::vector<std::shared_ptr<Block>>& blocks() const { return blocks_; }

 private:
  std::vector<std::shared_ptr<Block>> blocks_;
  std::int64_t channels_ = 0;
};

class ResNet : public sdk::Backbone {
 public:
  ResNet(const Layout& layout, const sdk::Params& params)
      : stem_(numbered(*this, "1", {.in = 3, .out = 64, .kernel = 7, .stride = 2})) {
    std::int64_t channels = 64;
    for (std::size_t i = 0; i < layout.blocks.size(); ++i) {
      const auto name = "layer" + std::to_string(i + 1);
      stages_.push_back(sdk::add<Stage>(*this, name, layout, i, channels));
      channels = stages_.back()->channels();
    }
    sdk::initialize_convolutions(*this, sdk::Fan::out);
    if (params.get<bool>("zero_init_residual")) silence_residuals();
  }

  sdk::Features forward(const at::Tensor& images, sdk::ModelContext&) override {
    auto x = at::max_pool2d(stem_.forward(images, sdk::Activation::relu), {3, 3}, {2, 2}, {1, 1});
    for (const auto& stage : stages_) x = stage->forward(x);
    return {.map = x};
  }

  std::int64_t channels() const override { return stages_.back()->channels(); }
  std::int64_t smallest_size() const override { return 1; }  // every halving rounds up

  void add_published_classifier() override {
    fc_ = sdk::add<sdk::Linear>(*this, "fc", channels(), sdk::kImageNetClasses);
  }

  at::Tensor published_logits(const sdk::Features& features, sdk::ModelContext& context) override {
    if (!fc_) return Backbone::published_logits(features, context);
    return fc_->forward(sdk::global_average(features.map));
  }

 private:
  /// Each block starts as the identity (Goyal et al. 2017, section 5.1).
  void silence_residuals() {
    for (const auto& stage : stages_)
      for (const auto& block : stage->blocks()) block->last_norm().weight.detach().zero_();
  }

  sdk::ConvNorm stem_;
  std::vector<std::shared_ptr<Stage>> stages_;
  std::shared_ptr<sdk::Linear> fc_;
};

}  // namespace
}  // namespace resnet

BCX_PLUGIN(bcx::sdk::backbone<resnet::ResNet, resnet::kResNet18>("resnet18"),
           bcx::sdk::backbone<resnet::ResNet, resnet::kResNet34>("resnet34"),
           bcx::sdk::backbone<resnet::ResNet, resnet::kResNet50>("resnet50"),
           bcx::sdk::backbone<resnet::ResNet, resnet::kResNet101>("resnet101"),
           bcx::sdk::backbone<resnet::ResNet, resnet::kResNeXt50>("resnext50_32x4d"),
           bcx::sdk::backbone<resnet::ResNet, resnet::kWideResNet50>("wide_resnet50_2"))
