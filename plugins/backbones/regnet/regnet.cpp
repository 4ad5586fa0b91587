// RegNetY (Radosavovic, Kosaraju, Girshick, He, Dollar, CVPR 2020), as torchvision publishes it
// (torchvision/models/regnet.py). Easy to miss: the squeeze is a quarter of the block's input
// channels, not of its width, and rounds to even; the bottleneck does not narrow (multiplier 1);
// the groups of the 3 x 3 convolution are 8 channels wide, and stage widths round to a multiple of
// that; the first stage halves its input too.
#include <bcx/sdk/backbone.h>
#include <bcx/sdk/nn.h>
#include <bcx/sdk/plugin.h>

#include <cmath>

namespace regnet {
namespace {
namespace sdk = bcx::sdk;

constexpr std::int64_t kStemChannels = 32;
constexpr double kSqueezeRatio = 0.25;

struct Stage {
  std::int64_t blocks;
  std::int64_t channels;
};

/// One published network: what its depth, width slope and width step come to.
struct Layout {
  std::int64_t group_width;
  std::array<Stage, 4> stages;
};

/// depth 16, w_0 48, w_a 27.89, w_m 2.09 (torchvision's regnet_y_400mf).
constexpr Layout kY400MF{8, {{{1, 48}, {3, 104}, {6, 208}, {6, 440}}}};

struct BlockOptions {
  std::int64_t in;
  std::int64_t out;
  std::int64_t stride;
  std::int64_t group_width;
};

std::shared_ptr<sdk::ConvNormActivation> add_convolution(torch::nn::Module& parent,
                                                         const char* name,
                                                         const sdk::Conv2dOptions& options,
                                                         sdk::Activation activation) {
  return sdk::add<sdk::ConvNormActivation>(parent, name, options, sdk::BatchNormOptions{},
                                           activation);
}

/// 1 x 1, grouped 3 x 3, squeeze-excitation, 1 x 1 without activation: torchvision's `f`.
class Bottleneck : public torch::nn::Module {
 public:
  explicit Bottleneck(const BlockOptions& o)
      : a_(add_convolution(*this, "a", {.in = o.in, .out = o.out}, sdk::Activation::relu)),
        b_(add_convolution(*this, "b",
                           {.in = o.out,
                            .out = o.out,
                            .kernel = 3,
                            .stride = o.stride,
                            .groups = o.out / o.group_width},
                           sdk::Activation::relu)),
        squeeze_(sdk::add<sdk::SqueezeExcitation>(
            *this, "se",
            sdk::SqueezeExcitationOptions{
                .channels = o.out,
                .squeezed = std::lrint(kSqueezeRatio * static_cast<double>(o.in))})),
        c_(add_convolution(*this, "c", {.in = o.out, .out = o.out}, sdk::Activation::none)) {}

  at::Tensor forward(const at::Tensor& x) const {
    return c_->forward(squeeze_->forward(b_->forward(a_->forward(x))));
  }

 private:
  std::shared_ptr<sdk::ConvNormActivation> a_, b_;
  std::shared_ptr<sdk::SqueezeExcitation> squeeze_;
  std::shared_ptr<sdk::ConvNormActivation> c_;
};

/// relu(bottleneck(x) + shortcut(x)); the shortcut is a convolution where the shape changes
/// (`proj`).
class Block : public torch::nn::Module {
 public:
  explicit Block(const BlockOptions& o) {
    if (o.stride != 1 || o.in != o.out)
      shortcut_ = add_convolution(*this, "proj", {.in = o.in, .out = o.out, .stride = o.stride},
                                  sdk::Activation::none);
    layers_ = sdk::add<Bottleneck>(*this, "f", o);
  }

  at::Tensor forward(const at::Tensor& x) const {
    auto y = layers_->forward(x);
    y += shortcut_ ? shortcut_->forward(x) : x;
    return sdk::activate(y, sdk::Activation::relu);
  }

 private:
  std::shared_ptr<sdk::ConvNormActivation> shortcut_;
  std::shared_ptr<Bottleneck> layers_;
};

/// torchvision's `trunk_output`: children block1, ..., whose children are block1-0, ...
class Trunk : public torch::nn::Module {
 public:
  explicit Trunk(const Layout& layout) {
    std::int64_t channels = kStemChannels;
    for (std::size_t i = 0; i < layout.stages.size(); ++i) {
      const auto name = "block" + std::to_string(i + 1);
      auto stage = sdk::add<torch::nn::Module>(*this, name);
      for (std::int64_t b = 0; b < layout.stages[i].blocks; ++b) {
        blocks_.push_back(sdk::add<Block>(*stage, name + "-" + std::to_string(b),
                                          BlockOptions{.in = channels,
                                                       .out = layout.stages[i].channels,
                                                       .stride = b == 0 ? 2 : 1,
                                                       .group_width = layout.group_width}));
        channels = layout.stages[i].channels;
      }
    }
  }

  at::Tensor forward(at::Tensor x) const {
    for (const auto& block : blocks_) x = block->forward(x);
    return x;
  }

 private:
  std::vector<std::shared_ptr<Block>> blocks_;
};

class RegNet : public sdk::Backbone {
 public:
  RegNet(const Layout& layout, const sdk::Params&)
      : channels_(layout.stages.back().channels),
        stem_(add_convolution(*this, "stem",
                              {.in = 3, .out = kStemChannels, .kernel = 3, .stride = 2},
                              sdk::Activation::relu)),
        trunk_(sdk::add<Trunk>(*this, "trunk_output", layout)) {
    sdk::initialize_convolutions(*this, sdk::Fan::out);
  }

  sdk::Features forward(const at::Tensor& images, sdk::ModelContext&) override {
    return {.map = trunk_->forward(stem_->forward(images))};
  }

  std::int64_t channels() const override { return channels_; }
  std::int64_t smallest_size() const override { return 1; }  // every halving rounds up

  void add_published_classifier() override {
    fc_ = sdk::add<sdk::Linear>(*this, "fc", channels_, sdk::kImageNetClasses);
    sdk::initialize_normal(*fc_, 0.01);
  }

  at::Tensor published_logits(const sdk::Features& features, sdk::ModelContext& context) override {
    if (!fc_) return Backbone::published_logits(features, context);
    return fc_->forward(sdk::global_average(features.map));
  }

 private:
  std::int64_t channels_;
  std::shared_ptr<sdk::ConvNormActivation> stem_;
  std::shared_ptr<Trunk> trunk_;
  std::shared_ptr<sdk::Linear> fc_;
};

}  // namespace
}  // namespace regnet

BCX_PLUGIN(bcx::sdk::backbone<regnet::RegNet, regnet::kY400MF>("regnet_y_400mf"))
