// The dense block of a GPU against the plain one: the same code and arithmetic, with the kernels'
// twin on a CPU. What a GPU itself does with it is
// tests/integration/train/test_gpu_dense_block.cpp.
#include "gpu_trial.h"

#include <ATen/autocast_mode.h>

#include "tests/parity/dense_block/rig.h"

namespace bcx::test {
namespace {

namespace gpu = densenet::gpu;

Run twin_of(const DenseBlock& block) {
  return [&](const at::Tensor& x) {
    const auto layers = layer_tensors(block);
    REQUIRE(gpu::can_fuse(x, layers));
    return gpu::block_training(x, layers, {}, gpu::kHostKernels);
  };
}

struct Both {
  Left twin, plain;
};

/// Parameters of `type`; `prepare`: what happens to the blocks before.
Both trained(const DenseBlockOptions& options, at::IntArrayRef shape, at::ScalarType type,
             bool kinks, const std::function<void(DenseBlock&)>& prepare = {}) {
  Both both;
  for (auto* left : {&both.twin, &both.plain}) {
    const auto block = make_block(options, /*fused=*/false, type, kinks);
    if (prepare) prepare(*block);
    *left = train(*block, input(shape, type), left == &both.twin ? twin_of(*block) : Run{});
  }
  return both;
}

void check_float64(const Both& both) {
  check_all(both.twin, both.plain, [](const auto&, const auto& got, const auto& expected) {
    CHECK(difference(got, expected) < 1e-10);
  });
}

/// Near the truth, or as near to it as the plain block.
void check_float32(const DenseBlockOptions& options, at::IntArrayRef shape) {
  const auto truth = trained(options, shape, at::kDouble, false).plain;
  const auto both = trained(options, shape, at::kFloat, false);
  check_all(both.twin, both.plain, [&](const auto& name, const auto& got, const auto& expected) {
    const double of_plain = difference(expected, truth.at(name));
    CHECK(difference(got, truth.at(name)) < std::max(1e-5, 1.5 * of_plain));
  });
}

/// Relative, as L2 norms.
double error(const at::Tensor& got, const at::Tensor& truth) {
  return ((got.to(at::kDouble) - truth).norm() / truth.norm()).item<double>();
}

/// Features of `type`, parameters float32, as under autocast.
Both trained_mixed(at::IntArrayRef shape, at::ScalarType type) {
  const auto autocast = [](DenseBlock& block, at::ScalarType to) -> Run {
    return [&block, to](const at::Tensor& x) {
      bcx::sdk::ModelContext context;
      at::autocast::set_autocast_dtype(at::kCPU, to);
      at::autocast::set_autocast_cache_enabled(false);
      at::autocast::set_autocast_enabled(at::kCPU, true);
      const auto map = block.forward(x, context).map;
      at::autocast::set_autocast_enabled(at::kCPU, false);
      return map;
    };
  };
  Both both;
  for (auto* left : {&both.twin, &both.plain}) {
    const auto block = make_block(kGrowth32, /*fused=*/false, at::kFloat, true);
    *left = train(*block, input(shape, type),
                  left == &both.twin ? twin_of(*block) : autocast(*block, type));
  }
  return both;
}

void check_mixed(at::ScalarType type) {
  const std::vector<std::int64_t> shape{2, 64, 28, 28};
  const auto truth = train(*make_block(kGrowth32, /*fused=*/false, at::kDouble, true),
                           input(shape, type).to(at::kDouble));
  const auto both = trained_mixed(shape, type);
  double of_twin = 0, of_plain = 0;
  check_all(both.twin, both.plain, [&](const auto& name, const auto& got, const auto& expected) {
    const double own = error(got, truth.at(name)), plain = error(expected, truth.at(name));
    CHECK(own < 1.5 * plain + 1e-5);
    of_twin += own;
    of_plain += plain;
  });
  CHECK(of_twin < 1.1 * of_plain);
  CHECK(both.twin.at("features").scalar_type() == type);
}

}  // namespace

TEST_CASE("a GPU's dense block trains as the plain one does (float64)") {
  check_float64(trained(kGrowth32, {2, 64, 14, 14}, at::kDouble, true));
  check_float64(trained(kGrowth48, {3, 96, 7, 5}, at::kDouble, true));
  check_float64(trained(kWide, {2, 528, 3, 3}, at::kDouble, true));
  check_float64(trained(kGrowth32, {1, 64, 9, 6}, at::kDouble, true));
  check_float64(trained(kGrowth48, {5, 96, 1, 1}, at::kDouble, true));
}

TEST_CASE("a GPU's dense block trains as the plain one does (float32)") {
  check_float32(kGrowth32, {2, 64, 28, 28});
  check_float32(kGrowth48, {3, 96, 15, 15});
  check_float32(kWide, {1, 528, 7, 7});
}

TEST_CASE("a GPU's dense block is no further from the truth than the plain one (bfloat16)") {
  check_mixed(at::kBFloat16);
}

TEST_CASE("a GPU's dense block is no further from the truth than the plain one (float16)") {
  check_mixed(at::kHalf);
}

TEST_CASE("a GPU's dense block gives no gradient to what is frozen") {
  check_float64(trained(kGrowth32, {2, 64, 6, 6}, at::kDouble, true, [](DenseBlock& block) {
    for (auto& item : block.named_parameters())
      for (const char* frozen : {"1.conv2", "2.conv1", "3.norm2", "5.", "7.norm1.bias"})
        if (item.key().find(std::string("layer") + frozen) != std::string::npos)
          item.value().requires_grad_(false);
  }));
}

TEST_CASE("a GPU's dense block takes convolutions' weights in the features' type") {
  Left left[2];
  for (const bool rounded : {false, true}) {
    const auto block = make_block(kGrowth32, /*fused=*/false, at::kFloat, true);
    if (rounded)
      for (auto& parameter : block->parameters())
        if (parameter.dim() == 4) parameter.set_data(parameter.to(at::kBFloat16));
    left[rounded] = train(*block, input({2, 64, 8, 8}, at::kBFloat16), twin_of(*block));
  }
  for (const auto& [name, expected] : left[0]) {
    INFO(name);
    const auto& got = left[1].at(name);
    const bool weight = name.find("conv") != std::string::npos;
    CHECK(got.scalar_type() == (weight ? at::kBFloat16 : expected.scalar_type()));
    CHECK(at::equal(got, expected.to(got.scalar_type())));
  }
}

TEST_CASE("a GPU's dense block runs without gradients, and on maps that lie anyhow") {
  const auto x = input({2, 64, 8, 8}, at::kFloat);
  // Not channels-last; channels-last, but not on 16 bytes.
  const auto other = x.contiguous();
  const auto off = at::empty({x.numel() + 1}, x.options())
                       .slice(0, 1)
                       .as_strided(x.sizes(), x.strides())
                       .copy_(x);
  const torch::NoGradGuard no_grad;
  const auto run = [&](const at::Tensor& map) {
    const auto block = make_block(kGrowth32, /*fused=*/false, at::kFloat, true);
    return twin_of(*block)(map);
  };
  const auto expected = run(x);
  CHECK(!expected.requires_grad());
  CHECK(at::equal(run(other), expected));
  CHECK(at::equal(run(off), expected));
}

TEST_CASE("the threads of a grid work on every channel of every pixel once") {
  for (const std::int64_t rows : {1, 5, 784, 3001})
    for (const std::int64_t channels : {16, 48, 528})
      for (const int pack : {2, 4, 8})
        for (const std::int64_t most_blocks : {1, 7, 528}) {
          const auto grid = gpu::grid_of(rows, channels, pack, most_blocks);
          CAPTURE(rows, channels, pack, most_blocks);
          CHECK(grid.tiles * grid.chunks <= std::max(grid.tiles, most_blocks));
          std::vector<int> visits(static_cast<std::size_t>(rows * channels / pack));
          for (std::int64_t tile = 0; tile < grid.tiles; ++tile)
            for (std::int64_t chunk = 0; chunk < grid.chunks; ++chunk)
              for (int thread = 0; thread < gpu::kThreads; ++thread) {
                const auto s = grid.strip(tile, chunk, thread);
                if (!grid.works(s, thread)) continue;
                for (std::int64_t row = s.first; row < s.end; row += s.step)
                  ++visits[static_cast<std::size_t>((row * channels + s.channel) / pack)];
              }
          CHECK(visits == std::vector<int>(visits.size(), 1));
        }
}

TEST_CASE("a GPU's dense block declines what its kernels cannot do") {
  const auto fuses = [](at::IntArrayRef shape, at::ScalarType features, at::ScalarType parameters) {
    const auto block = make_block({.layers = 2, .channels = shape[1], .growth = 16},
                                  /*fused=*/false, parameters, true);
    return gpu::can_fuse(at::zeros(shape, features), layer_tensors(*block));
  };
  CHECK(fuses({2, 32, 4, 4}, at::kFloat, at::kFloat));
  CHECK(fuses({2, 32, 4, 4}, at::kHalf, at::kFloat));
  CHECK(!fuses({2, 32, 4, 4}, at::kHalf, at::kHalf));
  CHECK(!fuses({2, 32, 4, 4}, at::kDouble, at::kFloat));
  CHECK(!fuses({2, 24, 4, 4}, at::kFloat, at::kFloat));
  CHECK(!fuses({1, 32, 1, 1}, at::kFloat, at::kFloat));  // no unbiased variance
  CHECK(!gpu::can_fuse(at::zeros({2, 32, 4, 4}), {}));
}

TEST_CASE("kernels that compute what LibTorch does pass their trial") {
  for (const auto type : {at::kDouble, at::kFloat, at::kBFloat16, at::kHalf}) {
    CAPTURE(type);
    CHECK(gpu::agree_with_libtorch(gpu::kHostKernels, at::kCPU, type));
  }
}

TEST_CASE("kernels that compute something else, nothing, or cannot be launched fail it") {
  auto broken = gpu::kHostKernels;
  SECTION("nothing is written") {
    broken.of_float.norm_gradient = [](const gpu::NormGradient<float>&, const gpu::Grid&, void*) {};
  }
  SECTION("a pass without its relu") {
    broken.of_float.normalise_relu = [](const gpu::NormaliseRelu<float>& pass,
                                        const gpu::Grid& grid, void*) {
      for (std::int64_t row = 0; row < grid.rows; ++row)
        for (std::int64_t c = 0; c < grid.channels; ++c)
          pass.out.data[row * pass.out.stride + c] =
              pass.in.data[row * pass.in.stride + c] * pass.scale[c] + pass.shift[c];
    };
  }
  SECTION("no driver") {
    broken.of_float.settle_gradient = [](const gpu::SettleGradient<float>&,
                                         const gpu::Partials<float>&, std::int64_t, void*) {
      throw std::runtime_error("no CUDA-capable device is detected");
    };
  }
  CHECK_FALSE(gpu::agree_with_libtorch(broken, at::kCPU, at::kFloat));
  CHECK(gpu::agree_with_libtorch(broken, at::kCPU, at::kDouble));
}

}  // namespace bcx::test
