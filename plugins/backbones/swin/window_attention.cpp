#include "window_attention.h"

#include <ATen/ATen.h>

#include <cmath>

namespace swin {
namespace sdk = bcx::sdk;
namespace {

constexpr std::int64_t kPixels = kWindow * kWindow;
constexpr std::int64_t kRelative = 2 * kWindow - 1;  ///< relative positions along a side

std::int64_t padding_of(std::int64_t side) {
  return (kWindow - side % kWindow) % kWindow;
}

at::Tensor relative_index() {
  auto index = at::empty({kPixels * kPixels}, at::kLong);
  auto* next = index.data_ptr<std::int64_t>();
  for (std::int64_t a = 0; a < kPixels; ++a)
    for (std::int64_t b = 0; b < kPixels; ++b) {
      const std::int64_t down = a / kWindow - b / kWindow + kWindow - 1;
      const std::int64_t right = a % kWindow - b % kWindow + kWindow - 1;
      *next++ = down * kRelative + right;
    }
  return index;
}

/// Which of three stretches a pixel of a rolled side lies in: before the last window, in the last
/// window's own part, or in what was rolled in.
std::int64_t stretch(std::int64_t position, std::int64_t side, std::int64_t shift) {
  if (position < side - kWindow) return 0;
  return position < side - shift ? 1 : 2;
}

}  // namespace

struct WindowAttention::Grid {
  std::int64_t batch, height, width, channels;  ///< of the padded map
  std::int64_t down, right;                     ///< shift

  std::int64_t rows() const { return height / kWindow; }
  std::int64_t columns() const { return width / kWindow; }
  bool shifted() const { return down + right > 0; }

  /// [N, height, width, C] to [N * windows, 49, C].
  at::Tensor split(const at::Tensor& x) const {
    return x.view({batch, rows(), kWindow, columns(), kWindow, channels})
        .permute({0, 1, 3, 2, 4, 5})
        .reshape({batch * rows() * columns(), kPixels, channels});
  }

  at::Tensor join(const at::Tensor& windows) const {
    return windows.view({batch, rows(), columns(), kWindow, kWindow, channels})
        .permute({0, 1, 3, 2, 4, 5})
        .reshape({batch, height, width, channels});
  }
};

WindowAttention::WindowAttention(const AttentionOptions& options) : options_(options) {
  qkv_ = sdk::add<sdk::Linear>(*this, "qkv", options.channels, 3 * options.channels);
  proj_ = sdk::add<sdk::Linear>(*this, "proj", options.channels, options.channels);
  table_ = register_parameter("relative_position_bias_table",
                              at::empty({kRelative * kRelative, options.heads}).normal_(0.0, 0.02));
  index_ = relative_index();
}

at::Tensor WindowAttention::forward(const at::Tensor& x, sdk::ModelContext& context) {
  const auto height = x.size(1), width = x.size(2);
  const auto below = padding_of(height), right = padding_of(width);
  auto padded = below + right > 0 ? at::constant_pad_nd(x, {0, 0, 0, right, 0, below}) : x;
  const Grid grid{.batch = x.size(0),
                  .height = height + below,
                  .width = width + right,
                  .channels = x.size(3),
                  .down = height + below > kWindow ? options_.shift : 0,
                  .right = width + right > kWindow ? options_.shift : 0};
  if (grid.shifted()) padded = at::roll(padded, {-grid.down, -grid.right}, {1, 2});
  const auto attended = attend(grid.split(padded.contiguous()), grid, context);
  auto y =
      grid.join(sdk::dropout(proj_->forward(attended), options_.dropout, is_training(), context));
  if (grid.shifted()) y = at::roll(y, {grid.down, grid.right}, {1, 2});
  return below + right > 0 ? y.narrow(1, 0, height).narrow(2, 0, width).contiguous() : y;
}

at::Tensor WindowAttention::attend(const at::Tensor& windows, const Grid& grid,
                                   sdk::ModelContext& context) {
  const auto count = windows.size(0);
  const std::int64_t heads = options_.heads, width = options_.channels / heads;
  const auto parts = qkv_->forward(windows)
                         .view({count, kPixels, 3, heads, width})
                         .permute({2, 0, 3, 1, 4})
                         .unbind(0);
  const double scale = 1.0 / std::sqrt(static_cast<double>(width));
  auto scores = at::matmul(parts[0] * scale, parts[1].transpose(2, 3)) + bias();
  if (grid.shifted()) {
    const auto& apart = mask(grid, scores);
    scores = (scores.view({grid.batch, apart.size(0), heads, kPixels, kPixels}) + apart)
                 .view({count, heads, kPixels, kPixels});
  }
  const auto weights =
      sdk::dropout(at::softmax(scores, -1), options_.attention_dropout, is_training(), context);
  return at::matmul(weights, parts[2]).transpose(1, 2).reshape({count, kPixels, heads * width});
}

/// [heads, 49, 49].
at::Tensor WindowAttention::bias() {
  if (index_.device() != table_.device()) index_ = index_.to(table_.device());
  return table_.index_select(0, index_).view({kPixels, kPixels, options_.heads}).permute({2, 0, 1});
}

const at::Tensor& WindowAttention::mask(const Grid& grid, const at::Tensor& like) {
  const bool fits = mask_.defined() && mask_height_ == grid.height && mask_width_ == grid.width &&
                    mask_.device() == like.device() && mask_.scalar_type() == like.scalar_type();
  if (fits) return mask_;
  const at::NoGradGuard no_grad;
  auto stretches = at::empty({1, grid.height, grid.width, 1}, at::kLong);
  auto* next = stretches.data_ptr<std::int64_t>();
  for (std::int64_t y = 0; y < grid.height; ++y)
    for (std::int64_t x = 0; x < grid.width; ++x)
      *next++ = 3 * stretch(y, grid.height, grid.down) + stretch(x, grid.width, grid.right);
  const Grid one{1, grid.height, grid.width, 1, 0, 0};
  const auto pixels = one.split(stretches).squeeze(2);
  mask_ = (pixels.unsqueeze(1) != pixels.unsqueeze(2)).to(like.options()).mul_(-100.0).unsqueeze(1);
  mask_height_ = grid.height;
  mask_width_ = grid.width;
  return mask_;
}

}  // namespace swin
