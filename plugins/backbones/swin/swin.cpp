// Swin Transformer (Liu, Lin, Cao, Hu, Wei, Zhang, Lin, Guo, ICCV 2021), as torchvision publishes
// it (torchvision/models/swin_transformer.py). Easy to miss: maps are [N, H, W, C] inside; every
// second block shifts its windows by 3 of 7 pixels; merging takes its four neighbours in the order
// (0, 0), (1, 0), (0, 1), (1, 1) and normalises before it reduces; a stage's merging is numbered as
// a stage of its own; the skip probability of block i of n is rate * i / (n - 1), for attention and
// MLP alike; all linear layers start from N(0, 0.02^2), cut at +-2, which is never reached; the
// published classifier averages the normalised map, there is no class token.
#include <ATen/ATen.h>
#include <bcx/sdk/backbone.h>
#include <bcx/sdk/nn.h>
#include <bcx/sdk/plugin.h>

#include "window_attention.h"

namespace swin {
namespace {
namespace sdk = bcx::sdk;

/// One published network. Stage i has `channels` * 2^i channels.
struct Layout {
  std::int64_t channels;
  std::array<std::int64_t, 4> blocks;
  std::array<std::int64_t, 4> heads;
};

constexpr Layout kTiny{96, {2, 2, 6, 2}, {3, 6, 12, 24}};
constexpr std::int64_t kPatch = 4;
constexpr std::int64_t kMlpRatio = 4;

struct Rates {
  double dropout;
  double attention_dropout;
  double skip;
};

/// x + skipped(attention(norm(x))), then the same with the MLP.
class Block : public torch::nn::Module {
 public:
  Block(const AttentionOptions& attention, double skip)
      : norm1_(sdk::add<sdk::LayerNorm>(*this, "norm1", attention.channels)),
        attention_(sdk::add<WindowAttention>(*this, "attn", attention)),
        norm2_(sdk::add<sdk::LayerNorm>(*this, "norm2", attention.channels)),
        mlp_(sdk::add<sdk::Mlp>(*this, "mlp", attention.channels, kMlpRatio * attention.channels,
                                attention.dropout)),
        skip_(skip) {}

  at::Tensor forward(const at::Tensor& x, sdk::ModelContext& context) const {
    const auto attended = attention_->forward(norm1_->forward(x), context);
    const auto y = x + sdk::drop_path(attended, skip_, is_training(), context);
    const auto mixed = mlp_->forward(norm2_->forward(y), context);
    return y + sdk::drop_path(mixed, skip_, is_training(), context);
  }

 private:
  std::shared_ptr<sdk::LayerNorm> norm1_;
  std::shared_ptr<WindowAttention> attention_;
  std::shared_ptr<sdk::LayerNorm> norm2_;
  std::shared_ptr<sdk::Mlp> mlp_;
  double skip_;
};

/// Four neighbours become one pixel of twice the channels. An odd side is padded with zeros.
class Merging : public torch::nn::Module {
 public:
  explicit Merging(std::int64_t channels)
      : reduction_(sdk::add<sdk::Linear>(*this, "reduction", 4 * channels, 2 * channels, false)),
        norm_(sdk::add<sdk::LayerNorm>(*this, "norm", 4 * channels)) {}

  at::Tensor forward(const at::Tensor& x) const {
    const auto odd_height = x.size(1) % 2, odd_width = x.size(2) % 2;
    const auto even = odd_height + odd_width > 0
                          ? at::constant_pad_nd(x, {0, 0, 0, odd_width, 0, odd_height})
                          : x;
    const auto n = even.size(0), h = even.size(1) / 2, w = even.size(2) / 2, c = even.size(3);
    // The column within the pair is the slower one: (0, 0), (1, 0), (0, 1), (1, 1).
    const auto neighbours = even.reshape({n, h, 2, w, 2, c}).permute({0, 1, 3, 4, 2, 5});
    return reduction_->forward(norm_->forward(neighbours.reshape({n, h, w, 4 * c})));
  }

 private:
  std::shared_ptr<sdk::Linear> reduction_;
  std::shared_ptr<sdk::LayerNorm> norm_;
};

/// Convolution of 4 x 4, stride 4, and normalisation: children `0` and `2`. Images [N, 3, H, W] to
/// [N, H / 4, W / 4, C].
class Stem : public torch::nn::Module {
 public:
  explicit Stem(std::int64_t channels)
      : conv_(sdk::add<sdk::Conv2d>(*this, "0",
                                    sdk::Conv2dOptions{.in = 3,
                                                       .out = channels,
                                                       .kernel = kPatch,
                                                       .stride = kPatch,
                                                       .padding = 0,
                                                       .bias = true})),
        norm_(sdk::add<sdk::LayerNorm>(*this, "2", channels)) {}

  at::Tensor forward(const at::Tensor& images) const {
    return norm_->forward(conv_->forward(images).permute({0, 2, 3, 1}));
  }

 private:
  std::shared_ptr<sdk::Conv2d> conv_;
  std::shared_ptr<sdk::LayerNorm> norm_;
};

/// torchvision's `features`: stem, stage, merging, stage, ..., numbered through.
class FeatureLayers : public torch::nn::Module {
 public:
  FeatureLayers(const Layout& layout, const Rates& rates)
      : stem_(sdk::append<Stem>(*this, layout.channels)) {
    std::int64_t total = 0, index = 0;
    for (const auto blocks : layout.blocks) total += blocks;
    for (std::size_t i = 0; i < layout.blocks.size(); ++i) {
      const std::int64_t channels = layout.channels << i;
      if (i > 0) mergings_.push_back(sdk::append<Merging>(*this, channels / 2));
      stages_.push_back(sdk::append<sdk::Sequence<Block>>(*this));
      for (std::int64_t b = 0; b < layout.blocks[i]; ++b, ++index)
        stages_.back()->append(
            AttentionOptions{.channels = channels,
                             .heads = layout.heads[i],
                             .shift = b % 2 == 0 ? 0 : kWindow / 2,
                             .dropout = rates.dropout,
                             .attention_dropout = rates.attention_dropout},
            rates.skip * static_cast<double>(index) / static_cast<double>(total - 1));
    }
  }

  at::Tensor forward(const at::Tensor& images, sdk::ModelContext& context) const {
    auto x = stem_->forward(images);
    for (std::size_t i = 0; i < stages_.size(); ++i) {
      if (i > 0) x = mergings_[i - 1]->forward(x);
      x = stages_[i]->forward(x, context);
    }
    return x;
  }

 private:
  std::shared_ptr<Stem> stem_;
  std::vector<std::shared_ptr<Merging>> mergings_;
  std::vector<std::shared_ptr<sdk::Sequence<Block>>> stages_;
};

class Swin : public sdk::Backbone {
 public:
  Swin(const Layout& layout, const sdk::Params& params)
      : channels_(layout.channels << (layout.blocks.size() - 1)) {
    features_ =
        sdk::add<FeatureLayers>(*this, "features", layout,
                                Rates{.dropout = params.get<double>("dropout"),
                                      .attention_dropout = params.get<double>("attention_dropout"),
                                      .skip = params.get<double>("stochastic_depth_prob")});
    norm_ = sdk::add<sdk::LayerNorm>(*this, "norm", channels_);
    sdk::initialize_linears(*this, 0.02);
  }

  sdk::Features forward(const at::Tensor& images, sdk::ModelContext& context) override {
    return {.map = norm_->forward(features_->forward(images, context)).permute({0, 3, 1, 2})};
  }

  std::int64_t channels() const override { return channels_; }
  std::int64_t smallest_size() const override { return kPatch; }  // merging rounds up

  void add_published_classifier() override {
    head_ = sdk::add<sdk::Linear>(*this, "head", channels_, sdk::kImageNetClasses);
    sdk::initialize_normal(*head_, 0.02);
  }

  at::Tensor published_logits(const sdk::Features& features, sdk::ModelContext& context) override {
    if (!head_) return Backbone::published_logits(features, context);
    return head_->forward(sdk::global_average(features.map));
  }

 private:
  std::int64_t channels_;
  std::shared_ptr<FeatureLayers> features_;
  std::shared_ptr<sdk::LayerNorm> norm_;
  std::shared_ptr<sdk::Linear> head_;
};

}  // namespace
}  // namespace swin

BCX_PLUGIN(bcx::sdk::backbone<swin::Swin, swin::kTiny>("swin_t"))
