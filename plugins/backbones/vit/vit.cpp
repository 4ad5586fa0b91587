// Vision Transformer (Dosovitskiy et al., ICLR 2021), as torchvision publishes it
// (torchvision/models/vision_transformer.py). Easy to miss: layer normalisation has eps 1e-6 and
// stands before attention and before the MLP ("pre-norm"), with one more after the last layer; the
// class token comes first; query, key and value are one matrix of three parts; gelu is exact.
//
// The weights were trained on images of 224 x 224 pixels, that is 14 x 14 patches. On another size
// the learned positions are interpolated, bicubic with aligned corners, as torchvision's
// interpolate_embeddings() does once for a weight file; here it is part of the forward pass, so
// that gradients reach the learned ones and files stay as published.
#include <ATen/ATen.h>
#include <bcx/sdk/backbone.h>
#include <bcx/sdk/nn.h>
#include <bcx/sdk/plugin.h>

#include <cmath>
#include <stdexcept>

namespace vit {
namespace {
namespace sdk = bcx::sdk;

constexpr double kEps = 1e-6;
constexpr std::int64_t kTrainedSize = 224;  ///< of the published weights, pixels

/// One published network.
struct Layout {
  std::int64_t patch;  ///< pixels a side
  std::int64_t layers;
  std::int64_t heads;
  std::int64_t channels;
  std::int64_t hidden;  ///< of the MLP
};

constexpr Layout kBase16{16, 12, 12, 768, 3072};

struct Rates {
  double dropout;
  double attention_dropout;
};

/// Multi-head self-attention (Vaswani et al. 2017) with torch.nn.MultiheadAttention's parameters.
class Attention : public torch::nn::Module {
 public:
  Attention(const Layout& layout, double dropout) : heads_(layout.heads), dropout_(dropout) {
    const std::int64_t c = layout.channels;
    // One matrix of [3 C, C], for whose bound all three parts count, as PyTorch has it.
    const double bound = std::sqrt(6.0 / static_cast<double>(4 * c));
    weight_ = register_parameter("in_proj_weight", at::empty({3 * c, c}).uniform_(-bound, bound));
    bias_ = register_parameter("in_proj_bias", at::zeros({3 * c}));
    out_ = sdk::add<sdk::Linear>(*this, "out_proj", c, c);
    out_->bias.detach().zero_();
  }

  /// x [N, T, C], same shape out.
  at::Tensor forward(const at::Tensor& x, sdk::ModelContext& context) const {
    const auto n = x.size(0), t = x.size(1), c = x.size(2);
    const auto parts = at::linear(x, weight_, bias_)
                           .view({n, t, 3, heads_, c / heads_})
                           .permute({2, 0, 3, 1, 4})
                           .unbind(0);
    const auto y = attend(parts[0], parts[1], parts[2], context);
    return out_->forward(y.transpose(1, 2).reshape({n, t, c}));
  }

 private:
  /// softmax(q k^T / sqrt(width)) v, each [N, heads, T, width].
  at::Tensor attend(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                    sdk::ModelContext& context) const {
    // The fused kernels draw from the global generator: they serve as long as nothing is drawn.
    if (dropout_ == 0.0 || !is_training()) return at::scaled_dot_product_attention(q, k, v);
    const double scale = 1.0 / std::sqrt(static_cast<double>(q.size(3)));
    const auto weights = at::softmax(at::matmul(q * scale, k.transpose(2, 3)), -1);
    return at::matmul(sdk::dropout(weights, dropout_, true, context), v);
  }

  std::int64_t heads_;
  double dropout_;
  at::Tensor weight_, bias_;
  std::shared_ptr<sdk::Linear> out_;
};

class Layer : public torch::nn::Module {
 public:
  Layer(const Layout& layout, const Rates& rates)
      : norm1_(sdk::add<sdk::LayerNorm>(*this, "ln_1", layout.channels, kEps)),
        attention_(sdk::add<Attention>(*this, "self_attention", layout, rates.attention_dropout)),
        norm2_(sdk::add<sdk::LayerNorm>(*this, "ln_2", layout.channels, kEps)),
        mlp_(sdk::add<sdk::Mlp>(*this, "mlp", layout.channels, layout.hidden, rates.dropout)),
        dropout_(rates.dropout) {}

  at::Tensor forward(const at::Tensor& x, sdk::ModelContext& context) const {
    const auto attended = attention_->forward(norm1_->forward(x), context);
    const auto y = x + sdk::dropout(attended, dropout_, is_training(), context);
    return y + mlp_->forward(norm2_->forward(y), context);
  }

 private:
  std::shared_ptr<sdk::LayerNorm> norm1_;
  std::shared_ptr<Attention> attention_;
  std::shared_ptr<sdk::LayerNorm> norm2_;
  std::shared_ptr<sdk::Mlp> mlp_;
  double dropout_;
};

/// Learned positions, layers, last normalisation: torchvision's `encoder`.
class Encoder : public torch::nn::Module {
 public:
  Encoder(const Layout& layout, const Rates& rates)
      : grid_(kTrainedSize / layout.patch), dropout_(rates.dropout) {
    positions_ = register_parameter(
        "pos_embedding", at::empty({1, grid_ * grid_ + 1, layout.channels}).normal_(0.0, 0.02));
    auto layers = sdk::add<torch::nn::Module>(*this, "layers");
    for (std::int64_t i = 0; i < layout.layers; ++i)
      layers_.push_back(
          sdk::add<Layer>(*layers, "encoder_layer_" + std::to_string(i), layout, rates));
    norm_ = sdk::add<sdk::LayerNorm>(*this, "ln", layout.channels, kEps);
  }

  /// tokens [N, 1 + height * width, C], class token first.
  at::Tensor forward(const at::Tensor& tokens, std::int64_t height, std::int64_t width,
                     sdk::ModelContext& context) {
    auto x = sdk::dropout(tokens + positions(height, width), dropout_, is_training(), context);
    for (const auto& layer : layers_) x = layer->forward(x, context);
    return norm_->forward(x);
  }

 private:
  at::Tensor positions(std::int64_t height, std::int64_t width) {
    if (height == grid_ && width == grid_) return positions_;
    const auto patches =
        at::matmul(interpolation(height, width), positions_.narrow(1, 1, grid_ * grid_));
    return at::cat({positions_.narrow(1, 0, 1), patches}, 1);
  }

  /// Bicubic interpolation as a matrix [height * width, grid * grid]: it is linear in the
  /// positions, and unlike the interpolation's own gradient a product's is deterministic on every
  /// device.
  const at::Tensor& interpolation(std::int64_t height, std::int64_t width) {
    const bool fits = matrix_.defined() && matrix_height_ == height &&
                      matrix_.size(0) == height * width &&
                      matrix_.device() == positions_.device() &&
                      matrix_.scalar_type() == positions_.scalar_type();
    if (fits) return matrix_;
    const at::NoGradGuard no_grad;
    const auto unit = at::eye(grid_ * grid_, positions_.options()).view({-1, 1, grid_, grid_});
    matrix_ = at::upsample_bicubic2d(unit, {height, width}, /*align_corners=*/true)
                  .flatten(1)
                  .t()
                  .contiguous();
    matrix_height_ = height;
    return matrix_;
  }

  std::int64_t grid_;
  double dropout_;
  at::Tensor positions_;
  std::vector<std::shared_ptr<Layer>> layers_;
  std::shared_ptr<sdk::LayerNorm> norm_;
  at::Tensor matrix_;  ///< of the last size other than the trained one
  std::int64_t matrix_height_ = 0;
};

/// torchvision's `heads`: child `head`. Starts at zero, as published.
class Heads : public torch::nn::Module {
 public:
  explicit Heads(std::int64_t channels)
      : head_(sdk::add<sdk::Linear>(*this, "head", channels, sdk::kImageNetClasses)) {
    sdk::initialize_normal(*head_, 0.0);
  }

  at::Tensor forward(const at::Tensor& x) const { return head_->forward(x); }

 private:
  std::shared_ptr<sdk::Linear> head_;
};

class VisionTransformer : public sdk::Backbone {
 public:
  VisionTransformer(const Layout& layout, const sdk::Params& params) : layout_(layout) {
    class_token_ = register_parameter("class_token", at::zeros({1, 1, layout.channels}));
    patches_ = sdk::add<sdk::Conv2d>(*this, "conv_proj",
                                     sdk::Conv2dOptions{.in = 3,
                                                        .out = layout.channels,
                                                        .kernel = layout.patch,
                                                        .stride = layout.patch,
                                                        .padding = 0,
                                                        .bias = true});
    const auto inputs = static_cast<double>(3 * layout.patch * layout.patch);
    sdk::initialize_convolutions(*this, std::sqrt(1.0 / inputs));
    encoder_ =
        sdk::add<Encoder>(*this, "encoder", layout,
                          Rates{.dropout = params.get<double>("dropout"),
                                .attention_dropout = params.get<double>("attention_dropout")});
  }

  sdk::Features forward(const at::Tensor& images, sdk::ModelContext& context) override {
    require_whole_patches(images.size(2), images.size(3));
    const auto patches = patches_->forward(images);
    const auto n = patches.size(0), height = patches.size(2), width = patches.size(3);
    const auto tokens = at::cat({class_token_.expand({n, -1, -1}).to(patches.scalar_type()),
                                 patches.flatten(2).transpose(1, 2)},
                                1);
    const auto y = encoder_->forward(tokens, height, width, context);
    const auto map = y.narrow(1, 1, height * width).transpose(1, 2).unflatten(2, {height, width});
    return {.map = map, .tokens = y};
  }

  std::int64_t channels() const override { return layout_.channels; }
  std::int64_t smallest_size() const override { return layout_.patch; }

  void add_published_classifier() override {
    heads_ = sdk::add<Heads>(*this, "heads", layout_.channels);
  }

  at::Tensor published_logits(const sdk::Features& features, sdk::ModelContext& context) override {
    if (!heads_) return Backbone::published_logits(features, context);
    return heads_->forward(features.tokens.select(1, 0));
  }

 private:
  void require_whole_patches(std::int64_t height, std::int64_t width) const {
    if (height % layout_.patch == 0 && width % layout_.patch == 0) return;
    throw std::runtime_error("images of " + std::to_string(height) + " x " + std::to_string(width) +
                             " pixels: height and width must be multiples of " +
                             std::to_string(layout_.patch) + ", the size of a patch");
  }

  Layout layout_;
  at::Tensor class_token_;
  std::shared_ptr<sdk::Conv2d> patches_;
  std::shared_ptr<Encoder> encoder_;
  std::shared_ptr<Heads> heads_;
};

}  // namespace
}  // namespace vit

BCX_PLUGIN(bcx::sdk::backbone<vit::VisionTransformer, vit::kBase16>("vit_b_16"))
