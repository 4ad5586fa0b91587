// VGG with batch normalisation (Simonyan & Zisserman, ICLR 2015, configuration D), as torchvision
// publishes it (torchvision/models/vgg.py). Easy to miss: convolutions have a bias although a
// normalisation follows; the map is what the fifth pooling gives; the published classifier sees it
// averaged to 7 x 7 pixels, not to one.
#include <ATen/ATen.h>
#include <bcx/sdk/backbone.h>
#include <bcx/sdk/nn.h>
#include <bcx/sdk/plugin.h>

namespace vgg {
namespace {
namespace sdk = bcx::sdk;

/// A run of convolutions of 3 x 3, each with normalisation and relu; a pooling ends it.
struct Stage {
  std::int64_t convolutions;
  std::int64_t channels;
};

constexpr Stage kStages[] = {{2, 64}, {2, 128}, {3, 256}, {3, 512}, {3, 512}};
constexpr std::int64_t kChannels = 512;
constexpr std::int64_t kPooled = 7;  ///< height and width that the classifier sees
constexpr std::int64_t kHidden = 4096;

/// torchvision's `features`. Relus and poolings count in its numbering, though they have no
/// tensors.
class FeatureLayers : public torch::nn::Module {
 public:
  FeatureLayers() {
    std::int64_t channels = 3, number = 0;
    for (const Stage& stage : kStages) {
      auto& layers = stages_.emplace_back();
      for (std::int64_t i = 0; i < stage.convolutions; ++i, number += 3) {
        layers.emplace_back(
            *this, std::to_string(number), std::to_string(number + 1),
            sdk::Conv2dOptions{.in = channels, .out = stage.channels, .kernel = 3, .bias = true});
        channels = stage.channels;
      }
      ++number;
    }
  }

  at::Tensor forward(at::Tensor x) const {
    for (const auto& layers : stages_) {
      for (const auto& layer : layers) x = layer.forward(x, sdk::Activation::relu);
      x = at::max_pool2d(x, {2, 2}, {2, 2});
    }
    return x;
  }

 private:
  std::vector<std::vector<sdk::ConvNorm>> stages_;
};

/// Linear, relu, dropout, twice, and linear: children `0`, `3` and `6`.
class Classifier : public torch::nn::Module {
 public:
  explicit Classifier(double dropout)
      : layers_{sdk::add<sdk::Linear>(*this, "0", kChannels * kPooled * kPooled, kHidden),
                sdk::add<sdk::Linear>(*this, "3", kHidden, kHidden),
                sdk::add<sdk::Linear>(*this, "6", kHidden, sdk::kImageNetClasses)},
        dropout_(dropout) {
    for (const auto& layer : layers_) sdk::initialize_normal(*layer, 0.01);
  }

  at::Tensor forward(at::Tensor x, sdk::ModelContext& context) const {
    for (std::size_t i = 0; i + 1 < layers_.size(); ++i)
      x = sdk::dropout(sdk::activate(layers_[i]->forward(x), sdk::Activation::relu), dropout_,
                       is_training(), context);
    return layers_.back()->forward(x);
  }

 private:
  std::array<std::shared_ptr<sdk::Linear>, 3> layers_;
  double dropout_;
};

class Vgg : public sdk::Backbone {
 public:
  explicit Vgg(const sdk::Params& params)
      : features_(sdk::add<FeatureLayers>(*this, "features")),
        classifier_dropout_(params.get<double>("classifier_dropout")) {
    sdk::initialize_convolutions(*this, sdk::Fan::out);
  }

  sdk::Features forward(const at::Tensor& images, sdk::ModelContext&) override {
    return {.map = features_->forward(images)};
  }

  std::int64_t channels() const override { return kChannels; }
  std::int64_t smallest_size() const override { return 32; }  // five halvings, rounding down

  void add_published_classifier() override {
    classifier_ = sdk::add<Classifier>(*this, "classifier", classifier_dropout_);
  }

  at::Tensor published_logits(const sdk::Features& features, sdk::ModelContext& context) override {
    if (!classifier_) return Backbone::published_logits(features, context);
    const auto pooled = at::adaptive_avg_pool2d(features.map, {kPooled, kPooled});
    return classifier_->forward(pooled.flatten(1), context);
  }

 private:
  std::shared_ptr<FeatureLayers> features_;
  double classifier_dropout_;
  std::shared_ptr<Classifier> classifier_;
};

}  // namespace
}  // namespace vgg

BCX_PLUGIN(bcx::sdk::backbone<vgg::Vgg>("vgg16_bn"))
