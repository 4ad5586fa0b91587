#include "pointwise.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>

namespace densenet {
namespace {

std::int64_t even(std::int64_t n) {
  return n + n % 2;
}
std::int64_t blocks_of(std::int64_t rows, std::int64_t wanted) {
  const std::int64_t threads = at::get_num_threads(), round = wanted * threads;
  return std::max<std::int64_t>(1, (rows + round / 2) / round) * threads;
}
std::int64_t panels_of(std::int64_t channels) {
  return (channels + kPanel - 1) / kPanel;
}

/// Asks for rows that are needed soon: the processor's own prefetcher gives up at such strides.
template <typename T>
void prefetch(Rows<const T> rows, Extent extent) {
  constexpr std::int64_t line = 64 / sizeof(T);
  for (std::int64_t r = 0; r < extent.rows; ++r)
    for (std::int64_t c = 0; c < extent.channels; c += line)
      __builtin_prefetch(rows.data + r * rows.stride + c, 0, 2);
}

/// Activations of a block times the packed weight, panel by panel.
template <typename T>
void multiply_block(const Pointwise<T>& p, Rows<const T> x, Normalization<Accumulate<T>> n,
                    const T* packed, const RowBlock& block, T* activations,
                    Accumulate<T>* product) {
  for (std::int64_t c = 0; c < p.channels; c += kPanel) {
    const std::int64_t width = std::min(kPanel, p.channels - c);
    row_kernels<T>().normalise_relu(x.from(block.begin, c), {block.rows, width}, n.scale + c,
                                    n.shift + c, {activations, kPanel});
    if (const std::int64_t next = c + kPanel; next < p.channels)
      prefetch<T>(x.from(block.begin, next), {block.rows, std::min(kPanel, p.channels - next)});
    multiply<T>(block.rows, p.outputs, width, activations, kPanel, packed + c * p.outputs,
                p.outputs, product, p.outputs, /*add=*/c > 0);
  }
}

/// Calls take(product, block, sums) for all blocks.
template <typename T, typename Take>
ChannelSums each_product(const Pointwise<T>& p, Rows<const T> x, Normalization<Accumulate<T>> n,
                         const T* packed, const PointwiseScratch<T>& scratch, const Take& take) {
  using A = Accumulate<T>;
  return for_row_blocks(p.rows, p.outputs, [&](const RowBlock& block, Sums sums) {
    const std::int64_t first = block.thread * scratch.block_rows;
    A* product = scratch.products.data() + first * p.outputs;
    multiply_block<T>(p, x, n, packed, block, scratch.activations.data() + first * kPanel, product);
    take(Rows<const A>{product, p.outputs}, block, sums);
    end_multiplications<T>();
  });
}

}  // namespace

std::int64_t largest_block(std::int64_t rows, std::int64_t wanted) {
  const std::int64_t blocks = blocks_of(rows, wanted);
  return even((rows + blocks - 1) / blocks);
}

ChannelSums for_row_blocks(std::int64_t rows, std::int64_t channels,
                           const std::function<void(const RowBlock&, Sums)>& work,
                           std::int64_t wanted) {
  const std::int64_t size = largest_block(rows, wanted);
  const std::int64_t blocks = (rows + size - 1) / size;
  std::vector<ChannelSums> of_threads(static_cast<std::size_t>(at::get_num_threads()),
                                      ChannelSums(channels));
  at::parallel_for(0, blocks, 1, [&](std::int64_t begin, std::int64_t end) {
    const int thread = at::get_thread_num();
    const auto sums = of_threads[static_cast<std::size_t>(thread)].view();
    for (std::int64_t i = begin; i < end; ++i)
      work({i * size, std::min(size, rows - i * size), thread}, sums);
  });
  for (std::size_t t = 1; t < of_threads.size(); ++t) {
    for (std::size_t c = 0; c < of_threads[0].first.size(); ++c) {
      of_threads[0].first[c] += of_threads[t].first[c];
      of_threads[0].second[c] += of_threads[t].second[c];
    }
  }
  return std::move(of_threads[0]);
}

template <typename A>
Constants<A> constants(const A* gamma, const A* beta, const double* mean, const double* variance,
                       double eps, std::int64_t channels) {
  const auto count = static_cast<std::size_t>(channels);
  Constants<A> k{std::vector<A>(count), std::vector<A>(count), std::vector<A>(count),
                 std::vector<A>(count)};
  for (std::size_t c = 0; c < count; ++c) {
    const double inverse = 1.0 / std::sqrt(variance[c] + eps);
    const double scale = static_cast<double>(gamma[c]) * inverse;
    k.scale[c] = static_cast<A>(scale);
    k.shift[c] = static_cast<A>(static_cast<double>(beta[c]) - mean[c] * scale);
    k.inverse_deviation[c] = static_cast<A>(inverse);
    k.offset[c] = static_cast<A>(-mean[c] * inverse);
  }
  return k;
}
template Constants<float> constants(const float*, const float*, const double*, const double*,
                                    double, std::int64_t);
template Constants<double> constants(const double*, const double*, const double*, const double*,
                                     double, std::int64_t);

template <typename T>
PointwiseScratch<T>::PointwiseScratch(std::int64_t rows, std::int64_t outputs)
    : block_rows(largest_block(rows)),
      activations(at::get_num_threads() * block_rows * kPanel),
      products(at::get_num_threads() * block_rows * outputs) {}

template <typename T>
ChannelSums Pointwise<T>::forward(Rows<const T> x, Normalization<A> n, const A* weight,
                                  Rows<T> y) const {
  const Buffer<T> packed(outputs * channels);
  pack_for_forward(weight, outputs, channels, packed.data());
  return each_product(
      *this, x, n, packed.data(), PointwiseScratch<T>(rows, outputs),
      [&](Rows<const A> product, const RowBlock& block, Sums sums) {
        row_kernels<T>().round(product, {block.rows, outputs}, y.from(block.begin), sums);
      });
}

template <typename T>
void Pointwise<T>::forward(Rows<const T> x, Normalization<A> n, const T* packed, const A* scale,
                           const A* shift, Rows<T> y, const PointwiseScratch<T>& scratch) const {
  each_product(*this, x, n, packed, scratch,
               [&](Rows<const A> product, const RowBlock& block, Sums) {
                 row_kernels<T>().normalise_relu_product(product, {block.rows, outputs}, scale,
                                                         shift, y.from(block.begin));
               });
}

namespace {

/// What one thread of a backward pass works with.
template <typename T>
struct BackwardTiles {
  using A = Accumulate<T>;
  BackwardTiles(const Pointwise<T>& p, std::int64_t block_rows)
      : gradient(block_rows * p.outputs),
        transposed(block_rows * p.outputs),
        flowing(block_rows * kPanel),
        activations(block_rows * kPanel),
        weight_gradient(panels_of(p.channels) * kPanel * p.outputs) {}

  Buffer<T> gradient, transposed;  ///< of y: [rows, outputs], [outputs, rows]
  Buffer<A> flowing;               ///< gradient of a panel of activations, [rows, kPanel]
  Buffer<T> activations;           ///< right factor [rows, kPanel]
  Buffer<A> weight_gradient;       ///< panels of [outputs, kPanel]
  bool used = false;               ///< the weight's gradient holds something
};

}  // namespace

template <typename T>
ChannelSums Pointwise<T>::backward(
    Rows<const T> x, Normalization<A> n, const A* weight,
    const std::function<void(const RowBlock&, Rows<T>)>& write_gradient, Rows<T> total,
    A* weight_gradient) const {
  const auto& kernels = row_kernels<T>();
  const std::int64_t panels = panels_of(channels), block_rows = largest_block(rows);
  const Buffer<T> packed(panels * kPanel * outputs);
  pack_for_backward(weight, outputs, channels, packed.data());
  std::vector<BackwardTiles<T>> tiles;
  for (int i = 0; i < at::get_num_threads(); ++i) tiles.emplace_back(*this, block_rows);

  auto sums = for_row_blocks(rows, channels, [&](const RowBlock& block, Sums sums) {
    auto& tile = tiles[static_cast<std::size_t>(block.thread)];
    write_gradient(block, {tile.gradient.data(), outputs});
    // Pairs of rows: an odd last one is paired with zeros.
    const std::int64_t padded = even(block.rows);
    kernels.transpose({tile.gradient.data(), outputs}, {block.rows, outputs},
                      {tile.transposed.data(), block_rows});
    if (padded > block.rows)
      for (std::int64_t o = 0; o < outputs; ++o)
        tile.transposed.data()[o * block_rows + block.rows] = T{};
    for (std::int64_t c = 0; c < channels; c += kPanel) {
      const std::int64_t width = std::min(kPanel, channels - c);
      prefetch<T>(x.from(block.begin, c), {block.rows, width});
      prefetch<T>({total.data + block.begin * total.stride + c, total.stride}, {block.rows, width});
      multiply<T>(block.rows, width, outputs, tile.gradient.data(), outputs,
                  packed.data() + c * outputs, kPanel, tile.flowing.data(), kPanel, false);
      kernels.add_gradient({tile.flowing.data(), kPanel}, x.from(block.begin, c),
                           {block.rows, width}, n.from(c), total.from(block.begin, c), sums.from(c),
                           tile.activations.data(), kPanel);
      if (padded > block.rows && sizeof(T) != sizeof(Bfloat16))
        std::fill_n(tile.activations.data() + block.rows * kPanel, width, T{});
      multiply<T>(outputs, width, padded, tile.transposed.data(), block_rows,
                  tile.activations.data(), kPanel, tile.weight_gradient.data() + c * outputs,
                  kPanel, tile.used);
    }
    tile.used = true;
    end_multiplications<T>();
  });

  at::parallel_for(0, outputs, 8, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t o = begin; o < end; ++o) {
      for (std::int64_t c = 0; c < channels; ++c) {
        const std::int64_t at = c / kPanel * kPanel * outputs + o * kPanel + c % kPanel;
        A sum = 0;
        for (const auto& tile : tiles) sum += tile.used ? tile.weight_gradient.data()[at] : A{0};
        weight_gradient[o * channels + c] = sum;
      }
    }
  });
  return sums;
}

template struct PointwiseScratch<Bfloat16>;
template struct PointwiseScratch<float>;
template struct PointwiseScratch<double>;
template struct Pointwise<Bfloat16>;
template struct Pointwise<float>;
template struct Pointwise<double>;

}  // namespace densenet
