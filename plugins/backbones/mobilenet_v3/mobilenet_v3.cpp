// MobileNetV3 (Howard et al., ICCV 2019, tables 1 and 2), as torchvision publishes it. Easy to
// miss: batch normalisation has eps 1e-3 and momentum 0.01; the squeeze rounds a quarter of the
// expanded channels to a multiple of 8; the gate is a hard sigmoid; an input that is not expanded
// has no first convolution; the classifier has a hidden layer of its own.
#include <ATen/ATen.h>
#include <bcx/sdk/backbone.h>
#include <bcx/sdk/nn.h>
#include <bcx/sdk/plugin.h>

#include <span>

namespace mobilenet_v3 {
namespace {
namespace sdk = bcx::sdk;

constexpr auto RE = sdk::Activation::relu;
constexpr auto HS = sdk::Activation::hardswish;
constexpr sdk::BatchNormOptions kNorm{.eps = 1e-3, .momentum = 0.01};

/// One row of the paper's tables.
struct Row {
  std::int64_t in;
  std::int64_t kernel;
  std::int64_t expanded;
  std::int64_t out;
  bool squeeze;
  sdk::Activation activation;
  std::int64_t stride;
};

constexpr Row kLargeRows[] = {{16, 3, 16, 16, false, RE, 1},   {16, 3, 64, 24, false, RE, 2},
                              {24, 3, 72, 24, false, RE, 1},   {24, 5, 72, 40, true, RE, 2},
                              {40, 5, 120, 40, true, RE, 1},   {40, 5, 120, 40, true, RE, 1},
                              {40, 3, 240, 80, false, HS, 2},  {80, 3, 200, 80, false, HS, 1},
                              {80, 3, 184, 80, false, HS, 1},  {80, 3, 184, 80, false, HS, 1},
                              {80, 3, 480, 112, true, HS, 1},  {112, 3, 672, 112, true, HS, 1},
                              {112, 5, 672, 160, true, HS, 2}, {160, 5, 960, 160, true, HS, 1},
                              {160, 5, 960, 160, true, HS, 1}};

constexpr Row kSmallRows[] = {
    {16, 3, 16, 16, true, RE, 2},  {16, 3, 72, 24, false, RE, 2}, {24, 3, 88, 24, false, RE, 1},
    {24, 5, 96, 40, true, HS, 2},  {40, 5, 240, 40, true, HS, 1}, {40, 5, 240, 40, true, HS, 1},
    {40, 5, 120, 48, true, HS, 1}, {48, 5, 144, 48, true, HS, 1}, {48, 5, 288, 96, true, HS, 2},
    {96, 5, 576, 96, true, HS, 1}, {96, 5, 576, 96, true, HS, 1}};

struct Layout {
  std::span<const Row> rows;
  std::int64_t hidden;  ///< width of the published classifier's hidden layer
};

constexpr Layout kLarge{kLargeRows, 1280};
constexpr Layout kSmall{kSmallRows, 1024};

/// The layers of one row, numbered as torchvision's `block` numbers them: [expand,] depthwise,
/// [squeeze-excitation,] project.
class RowLayers : public torch::nn::Module {
 public:
  explicit RowLayers(const Row& row) {
    if (row.expanded != row.in)
      expand_ = sdk::append<sdk::ConvNormActivation>(
          *this, sdk::Conv2dOptions{.in = row.in, .out = row.expanded}, kNorm, row.activation);
    depthwise_ = sdk::append<sdk::ConvNormActivation>(*this,
                                                      sdk::Conv2dOptions{.in = row.expanded,
                                                                         .out = row.expanded,
                                                                         .kernel = row.kernel,
                                                                         .stride = row.stride,
                                                                         .groups = row.expanded},
                                                      kNorm, row.activation);
    if (row.squeeze)
      squeeze_ = sdk::append<sdk::SqueezeExcitation>(
          *this, sdk::SqueezeExcitationOptions{
                     .channels = row.expanded,
                     .squeezed = sdk::make_divisible(static_cast<double>(row.expanded) / 4),
                     .gate = sdk::Activation::hardsigmoid});
    project_ = sdk::append<sdk::ConvNormActivation>(
        *this, sdk::Conv2dOptions{.in = row.expanded, .out = row.out}, kNorm,
        sdk::Activation::none);
  }

  at::Tensor forward(const at::Tensor& x) const {
    auto y = depthwise_->forward(expand_ ? expand_->forward(x) : x);
    if (squeeze_) y = squeeze_->forward(y);
    return project_->forward(y);
  }

 private:
  std::shared_ptr<sdk::ConvNormActivation> expand_;
  std::shared_ptr<sdk::ConvNormActivation> depthwise_;
  std::shared_ptr<sdk::SqueezeExcitation> squeeze_;
  std::shared_ptr<sdk::ConvNormActivation> project_;
};

/// Inverted residual: the row's layers, plus the input where the shape stays.
class Block : public torch::nn::Module {
 public:
  explicit Block(const Row& row)
      : layers_(sdk::add<RowLayers>(*this, "block", row)),
        residual_(row.stride == 1 && row.in == row.out) {}

  at::Tensor forward(const at::Tensor& x) const {
    auto y = layers_->forward(x);
    return residual_ ? y += x : y;
  }

 private:
  std::shared_ptr<RowLayers> layers_;
  bool residual_;
};

/// torchvision's `features`: stem, one block a row, and a last convolution that widens six times.
class FeatureLayers : public torch::nn::Module {
 public:
  explicit FeatureLayers(const Layout& layout) : channels_(6 * layout.rows.back().out) {
    stem_ = sdk::append<sdk::ConvNormActivation>(
        *this, sdk::Conv2dOptions{.in = 3, .out = layout.rows.front().in, .kernel = 3, .stride = 2},
        kNorm, HS);
    for (const Row& row : layout.rows) blocks_.push_back(sdk::append<Block>(*this, row));
    last_ = sdk::append<sdk::ConvNormActivation>(
        *this, sdk::Conv2dOptions{.in = layout.rows.back().out, .out = channels_}, kNorm, HS);
  }

  at::Tensor forward(const at::Tensor& images) const {
    auto x = stem_->forward(images);
    for (const auto& block : blocks_) x = block->forward(x);
    return last_->forward(x);
  }

  std::int64_t channels() const { return channels_; }

 private:
  std::int64_t channels_;
  std::shared_ptr<sdk::ConvNormActivation> stem_;
  std::vector<std::shared_ptr<Block>> blocks_;
  std::shared_ptr<sdk::ConvNormActivation> last_;
};

/// Linear, hard swish, dropout, linear: children `0` and `3`.
class Classifier : public torch::nn::Module {
 public:
  Classifier(std::int64_t channels, std::int64_t hidden, double dropout)
      : hidden_(sdk::add<sdk::Linear>(*this, "0", channels, hidden)),
        output_(sdk::add<sdk::Linear>(*this, "3", hidden, sdk::kImageNetClasses)),
        dropout_(dropout) {
    sdk::initialize_normal(*hidden_, 0.01);
    sdk::initialize_normal(*output_, 0.01);
  }

  at::Tensor forward(const at::Tensor& pooled, sdk::ModelContext& context) const {
    const auto y = sdk::activate(hidden_->forward(pooled), HS);
    return output_->forward(sdk::dropout(y, dropout_, is_training(), context));
  }

 private:
  std::shared_ptr<sdk::Linear> hidden_;
  std::shared_ptr<sdk::Linear> output_;
  double dropout_;
};

class MobileNetV3 : public sdk::Backbone {
 public:
  MobileNetV3(const Layout& layout, const sdk::Params& params)
      : features_(sdk::add<FeatureLayers>(*this, "features", layout)),
        hidden_(layout.hidden),
        classifier_dropout_(params.get<double>("classifier_dropout")) {
    sdk::initialize_convolutions(*this, sdk::Fan::out);
  }

  sdk::Features forward(const at::Tensor& images, sdk::ModelContext&) override {
    return {.map = features_->forward(images)};
  }

  std::int64_t channels() const override { return features_->channels(); }
  std::int64_t smallest_size() const override { return 1; }  // every halving rounds up

  void add_published_classifier() override {
    classifier_ =
        sdk::add<Classifier>(*this, "classifier", channels(), hidden_, classifier_dropout_);
  }

  at::Tensor published_logits(const sdk::Features& features, sdk::ModelContext& context) override {
    if (!classifier_) return Backbone::published_logits(features, context);
    return classifier_->forward(sdk::global_average(features.map), context);
  }

 private:
  std::shared_ptr<FeatureLayers> features_;
  std::int64_t hidden_;
  double classifier_dropout_;
  std::shared_ptr<Classifier> classifier_;
};

}  // namespace
}  // namespace mobilenet_v3

BCX_PLUGIN(
    bcx::sdk::backbone<mobilenet_v3::MobileNetV3, mobilenet_v3::kSmall>("mobilenet_v3_small"),
    bcx::sdk::backbone<mobilenet_v3::MobileNetV3, mobilenet_v3::kLarge>("mobilenet_v3_large"))
