// Attention within windows that shift from block to block (Liu et al., ICCV 2021, section 3.2).
#pragma once

#include <bcx/sdk/model_context.h>
#include <bcx/sdk/nn.h>

namespace swin {

constexpr std::int64_t kWindow = 7;  ///< pixels of the map a side

struct AttentionOptions {
  std::int64_t channels = 0;
  std::int64_t heads = 0;
  std::int64_t shift = 0;  ///< pixels that windows move right and down; 0: they do not
  double dropout = 0.0;
  double attention_dropout = 0.0;
};

/// Multi-head self-attention among the 49 pixels of each window, with a learned bias per head and
/// relative position. Maps whose sides are no multiples of 7 are padded with zeros, which take
/// part, as published. The map is rolled to shift it; pixels that only meet because of that are
/// told apart by -100 added to their score. A side of a single window does not shift.
///
/// Parameters `qkv`, `proj` and `relative_position_bias_table` [169, heads]. The published
/// `relative_position_index` is computed here.
class WindowAttention : public torch::nn::Module {
 public:
  explicit WindowAttention(const AttentionOptions& options);
  /// x [N, H, W, C], same shape out.
  at::Tensor forward(const at::Tensor& x, bcx::sdk::ModelContext& context);

 private:
  struct Grid;  ///< of windows over a padded map

  at::Tensor attend(const at::Tensor& windows, const Grid& grid, bcx::sdk::ModelContext& context);
  at::Tensor bias();
  const at::Tensor& mask(const Grid& grid, const at::Tensor& like);

  AttentionOptions options_;
  std::shared_ptr<bcx::sdk::Linear> qkv_, proj_;
  at::Tensor table_;
  at::Tensor index_;  ///< rows of the table for each pair of a window's pixels, [49 * 49]
  at::Tensor mask_;   ///< of the last size of map, [windows, 1, 49, 49]
  std::int64_t mask_height_ = 0, mask_width_ = 0;
};

}  // namespace swin
