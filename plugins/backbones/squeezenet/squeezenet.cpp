// SqueezeNet 1.1 (Iandola et al. 2016, arXiv:1602.07360; version 1.1 of the authors' repository),
// as torchvision publishes it (torchvision/models/squeezenet.py). Easy to miss: the first
// convolution has no padding; poolings round up (`ceil_mode`), which other ports leave out, and
// which makes no difference at 224 pixels; there is no normalisation at all; the published
// classifier is a convolution, with a relu between it and the mean over the pixels, so that no
// logit is negative.
#include <ATen/ATen.h>
#include <bcx/sdk/backbone.h>
#include <bcx/sdk/nn.h>
#include <bcx/sdk/plugin.h>

#include <cmath>

namespace squeezenet {
namespace {
namespace sdk = bcx::sdk;

constexpr std::int64_t kStemChannels = 64;
constexpr std::int64_t kChannels = 512;

/// A fire module's number in torchvision's `features` and its widths; poolings and the stem's relu
/// count in the numbering.
struct FireRow {
  const char* name;
  bool pool_before;
  std::int64_t in;
  std::int64_t squeezed;
  std::int64_t expanded;  ///< channels of each of the two expanding convolutions
};

constexpr FireRow kRows[] = {{"3", true, 64, 16, 64},     {"4", false, 128, 16, 64},
                             {"6", true, 128, 32, 128},   {"7", false, 256, 32, 128},
                             {"9", true, 256, 48, 192},   {"10", false, 384, 48, 192},
                             {"11", false, 384, 64, 256}, {"12", false, 512, 64, 256}};

at::Tensor rectified(at::Tensor x) {
  return sdk::activate(std::move(x), sdk::Activation::relu);
}

/// Weights from U(-b, b) with b = sqrt(6 / fan_in) (He et al. 2015), bias 0.
void initialize_he_uniform(sdk::Conv2d& convolution) {
  const at::NoGradGuard no_grad;
  const auto fan_in = convolution.weight.numel() / convolution.weight.size(0);
  const double bound = std::sqrt(6.0 / static_cast<double>(fan_in));
  convolution.weight.uniform_(-bound, bound);
  convolution.bias.zero_();
}

std::shared_ptr<sdk::Conv2d> add_convolution(torch::nn::Module& parent, const char* name,
                                             sdk::Conv2dOptions options) {
  options.bias = true;
  auto convolution = sdk::add<sdk::Conv2d>(parent, name, options);
  initialize_he_uniform(*convolution);
  return convolution;
}

/// rectified(1x1 to few channels), then rectified(1x1) and rectified(3x3) side by side.
class Fire : public torch::nn::Module {
 public:
  explicit Fire(const FireRow& r)
      : squeeze_(add_convolution(*this, "squeeze", {.in = r.in, .out = r.squeezed})),
        expand1x1_(add_convolution(*this, "expand1x1", {.in = r.squeezed, .out = r.expanded})),
        expand3x3_(add_convolution(*this, "expand3x3",
                                   {.in = r.squeezed, .out = r.expanded, .kernel = 3})) {}

  at::Tensor forward(const at::Tensor& x) const {
    const auto few = rectified(squeeze_->forward(x));
    return at::cat({rectified(expand1x1_->forward(few)), rectified(expand3x3_->forward(few))}, 1);
  }

 private:
  std::shared_ptr<sdk::Conv2d> squeeze_, expand1x1_, expand3x3_;
};

class FeatureLayers : public torch::nn::Module {
 public:
  FeatureLayers()
      : stem_(add_convolution(
            *this, "0", {.in = 3, .out = kStemChannels, .kernel = 3, .stride = 2, .padding = 0})) {
    for (const FireRow& row : kRows) fires_.push_back(sdk::add<Fire>(*this, row.name, row));
  }

  at::Tensor forward(const at::Tensor& images) const {
    auto x = rectified(stem_->forward(images));
    for (std::size_t i = 0; i < fires_.size(); ++i) {
      if (kRows[i].pool_before)
        x = at::max_pool2d(x, {3, 3}, {2, 2}, {0, 0}, {1, 1}, /*ceil_mode=*/true);
      x = fires_[i]->forward(x);
    }
    return x;
  }

 private:
  std::shared_ptr<sdk::Conv2d> stem_;
  std::vector<std::shared_ptr<Fire>> fires_;
};

/// torchvision's `classifier`, whose convolution is child `1`.
class Classifier : public torch::nn::Module {
 public:
  explicit Classifier(double dropout)
      : convolution_(add_convolution(*this, "1", {.in = kChannels, .out = sdk::kImageNetClasses})),
        dropout_(dropout) {
    convolution_->weight.detach().normal_(0.0, 0.01);
  }

  at::Tensor forward(const at::Tensor& map, sdk::ModelContext& context) const {
    const auto kept = sdk::dropout(map, dropout_, is_training(), context);
    return sdk::global_average(rectified(convolution_->forward(kept)));
  }

 private:
  std::shared_ptr<sdk::Conv2d> convolution_;
  double dropout_;
};

class SqueezeNet : public sdk::Backbone {
 public:
  explicit SqueezeNet(const sdk::Params& params)
      : features_(sdk::add<FeatureLayers>(*this, "features")),
        classifier_dropout_(params.get<double>("classifier_dropout")) {}

  sdk::Features forward(const at::Tensor& images, sdk::ModelContext&) override {
    return {.map = features_->forward(images)};
  }

  std::int64_t channels() const override { return kChannels; }
  // 17 pixels are 8 after the stem, and 4, 2 and 1 after the poolings.
  std::int64_t smallest_size() const override { return 17; }

  void add_published_classifier() override {
    classifier_ = sdk::add<Classifier>(*this, "classifier", classifier_dropout_);
  }

  at::Tensor published_logits(const sdk::Features& features, sdk::ModelContext& context) override {
    if (!classifier_) return Backbone::published_logits(features, context);
    return classifier_->forward(features.map, context);
  }

 private:
  std::shared_ptr<FeatureLayers> features_;
  double classifier_dropout_;
  std::shared_ptr<Classifier> classifier_;
};

}  // namespace
}  // namespace squeezenet

BCX_PLUGIN(bcx::sdk::backbone<squeezenet::SqueezeNet>("squeezenet1_1"))
