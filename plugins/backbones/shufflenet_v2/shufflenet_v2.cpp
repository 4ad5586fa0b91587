// ShuffleNet V2 (Ma, Zhang, Zheng, Sun, ECCV 2018, table 5), as torchvision publishes it
// (torchvision/models/shufflenetv2.py). Easy to miss: a block that keeps the shape works on the
// second half of the channels and passes the first on as it is; the depthwise convolution has a
// normalisation but no activation; the shuffle follows the concatenation; weights start from
// PyTorch's default, not from He's.
#include <ATen/ATen.h>
#include <bcx/sdk/backbone.h>
#include <bcx/sdk/nn.h>
#include <bcx/sdk/plugin.h>

namespace shufflenet_v2 {
namespace {
namespace sdk = bcx::sdk;

constexpr std::int64_t kStemChannels = 24;
constexpr std::int64_t kHeadChannels = 1024;

struct Stage {
  const char* name;
  std::int64_t blocks;
  std::int64_t channels;
};

constexpr Stage kStages[] = {{"stage2", 4, 116}, {"stage3", 8, 232}, {"stage4", 4, 464}};

/// Channels of [N, 2 C, H, W] interleaved: first of the first half, first of the second, ...
at::Tensor shuffle(const at::Tensor& x) {
  const auto n = x.size(0), c = x.size(1), h = x.size(2), w = x.size(3);
  return x.reshape({n, 2, c / 2, h, w}).transpose(1, 2).reshape({n, c, h, w});
}

/// One side of a block: convolutions and normalisations as torchvision's Sequential numbers them.
class Branch : public torch::nn::Module {
 public:
  /// `number`: of the convolution; its normalisation is the next.
  void append(std::int64_t number, const sdk::Conv2dOptions& options, sdk::Activation activation) {
    layers_.emplace_back(*this, std::to_string(number), std::to_string(number + 1), options);
    activations_.push_back(activation);
  }

  at::Tensor forward(at::Tensor x) const {
    for (std::size_t i = 0; i < layers_.size(); ++i) x = layers_[i].forward(x, activations_[i]);
    return x;
  }

 private:
  std::vector<sdk::ConvNorm> layers_;
  std::vector<sdk::Activation> activations_;
};

/// Two branches side by side, shuffled. Where the shape stays, the first branch is the identity on
/// the first half of the channels.
class Block : public torch::nn::Module {
 public:
  Block(std::int64_t in, std::int64_t out, std::int64_t stride) : halves_(stride == 1) {
    const std::int64_t half = out / 2;
    if (!halves_) {
      first_ = sdk::add<Branch>(*this, "branch1");
      first_->append(0, depthwise(in, stride), sdk::Activation::none);
      first_->append(2, {.in = in, .out = half}, sdk::Activation::relu);
    }
    second_ = sdk::add<Branch>(*this, "branch2");
    second_->append(0, {.in = halves_ ? half : in, .out = half}, sdk::Activation::relu);
    second_->append(3, depthwise(half, stride), sdk::Activation::none);
    second_->append(5, {.in = half, .out = half}, sdk::Activation::relu);
  }

  at::Tensor forward(const at::Tensor& x) const {
    if (!halves_) return shuffle(at::cat({first_->forward(x), second_->forward(x)}, 1));
    const auto parts = x.chunk(2, 1);
    return shuffle(at::cat({parts[0], second_->forward(parts[1])}, 1));
  }

 private:
  static sdk::Conv2dOptions depthwise(std::int64_t channels, std::int64_t stride) {
    return {.in = channels, .out = channels, .kernel = 3, .stride = stride, .groups = channels};
  }

  bool halves_;
  std::shared_ptr<Branch> first_, second_;
};

class ShuffleNetV2 : public sdk::Backbone {
 public:
  explicit ShuffleNetV2(const sdk::Params&)
      : stem_(convolution("conv1", {.in = 3, .out = kStemChannels, .kernel = 3, .stride = 2})) {
    std::int64_t channels = kStemChannels;
    for (const Stage& stage : kStages) {
      stages_.push_back(sdk::add<sdk::Sequence<Block>>(*this, stage.name));
      for (std::int64_t i = 0; i < stage.blocks; ++i) {
        stages_.back()->append(channels, stage.channels, std::int64_t{i == 0 ? 2 : 1});
        channels = stage.channels;
      }
    }
    last_ = convolution("conv5", {.in = channels, .out = kHeadChannels});
  }

  sdk::Features forward(const at::Tensor& images, sdk::ModelContext& context) override {
    auto x = at::max_pool2d(stem_->forward(images), {3, 3}, {2, 2}, {1, 1});
    for (const auto& stage : stages_) x = stage->forward(x, context);
    return {.map = last_->forward(x)};
  }

  std::int64_t channels() const override { return kHeadChannels; }
  std::int64_t smallest_size() const override { return 1; }  // every halving rounds up

  void add_published_classifier() override {
    fc_ = sdk::add<sdk::Linear>(*this, "fc", kHeadChannels, sdk::kImageNetClasses);
  }

  at::Tensor published_logits(const sdk::Features& features, sdk::ModelContext& context) override {
    if (!fc_) return Backbone::published_logits(features, context);
    return fc_->forward(sdk::global_average(features.map));
  }

 private:
  std::shared_ptr<sdk::ConvNormActivation> convolution(const std::string& name,
                                                       const sdk::Conv2dOptions& options) {
    return sdk::add<sdk::ConvNormActivation>(*this, name, options, sdk::BatchNormOptions{},
                                             sdk::Activation::relu);
  }

  std::shared_ptr<sdk::ConvNormActivation> stem_;
  std::vector<std::shared_ptr<sdk::Sequence<Block>>> stages_;
  std::shared_ptr<sdk::ConvNormActivation> last_;
  std::shared_ptr<sdk::Linear> fc_;
};

}  // namespace
}  // namespace shufflenet_v2

BCX_PLUGIN(bcx::sdk::backbone<shufflenet_v2::ShuffleNetV2>("shufflenet_v2_x1_0"))
