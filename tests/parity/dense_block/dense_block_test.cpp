// The fused dense block against the plain one, whose parity with torchvision is tested elsewhere.
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/autocast_mode.h>
#include <torch/utils.h>

#include <limits>

#include "fused_norm.h"
#include "row_kernels_generations.h"
#include "tests/parity/dense_block/rig.h"

namespace bcx::test {
namespace {

Left trained(const DenseBlockOptions& options, at::IntArrayRef shape, bool fused,
             at::ScalarType type, bool kinks) {
  return train(*make_block(options, fused, type, kinks), input(shape, type));
}

void check_float64(const DenseBlockOptions& options, at::IntArrayRef shape) {
  check_all(trained(options, shape, true, at::kDouble, true),
            trained(options, shape, false, at::kDouble, true),
            [](const auto&, const auto& got, const auto& expected) {
              CHECK(difference(got, expected) < 1e-10);
            });
}

/// In a type of fewer digits: near the plain block, or where that is itself further from the
/// truth than this, as near to the truth as it.
void check_rounded(const DenseBlockOptions& options, at::IntArrayRef shape, at::ScalarType type,
                   double allowed) {
  const auto truth = trained(options, shape, false, at::kDouble, false);
  check_all(trained(options, shape, true, type, false), trained(options, shape, false, type, false),
            [&](const auto& name, const auto& got, const auto& expected) {
              const double of_plain = difference(expected, truth.at(name));
              CHECK(difference(got, truth.at(name)) < std::max(allowed, 1.5 * of_plain));
            });
}

}  // namespace

TEST_CASE("a fused dense block trains as the plain one does (float64)") {
  check_float64(kGrowth32, {2, 64, 14, 14});
  check_float64(kGrowth48, {3, 96, 7, 5});  // an odd number of pixels
  check_float64(kWide, {2, 528, 3, 3});
}

// Where a relu's input is zero but for rounding its gradient is all or nothing: float64 has tested
// that, and here no input is near.
TEST_CASE("a fused dense block trains as the plain one does (float32)") {
  check_rounded(kGrowth32, {2, 64, 28, 28}, at::kFloat, 1e-5);
  check_rounded(kGrowth48, {3, 96, 15, 15}, at::kFloat, 1e-5);
  check_rounded(kWide, {2, 528, 7, 7}, at::kFloat, 1e-5);
}

TEST_CASE("a fused dense block is no further from the truth than the plain one (bfloat16)") {
  // Features alone are bfloat16, as under autocast.
  const auto features = [](bool fused) {
    const auto block = make_block(kGrowth32, fused, at::kFloat, true);
    bcx::sdk::ModelContext context;
    at::autocast::set_autocast_dtype(at::kCPU, at::kBFloat16);
    at::autocast::set_autocast_cache_enabled(false);
    at::autocast::set_autocast_enabled(at::kCPU, true);
    const auto map = block->forward(input({2, 64, 28, 28}, at::kBFloat16), context).map;
    at::autocast::set_autocast_enabled(at::kCPU, false);
    return map;
  };
  bcx::sdk::ModelContext context;
  const auto truth = make_block(kGrowth32, false, at::kDouble, true)
                         ->forward(input({2, 64, 28, 28}, at::kBFloat16).to(at::kDouble), context)
                         .map;
  const auto fused = features(true), plain = features(false);
  CHECK(fused.scalar_type() == at::kBFloat16);
  const auto error = [&](const at::Tensor& map) {
    return ((map.to(at::kDouble) - truth).norm() / truth.norm()).item<double>();
  };
  CHECK(error(fused) < 1.1 * error(plain));
  CHECK(error(plain) < 0.02);
}

TEST_CASE("a fused dense block evaluates as the plain one does") {
  const torch::NoGradGuard no_grad;
  bcx::sdk::ModelContext context;
  for (const auto& [type, allowed] : {std::pair{at::kDouble, 1e-10}, {at::kFloat, 1e-5}}) {
    const auto x = input({3, 96, 15, 15}, type);
    const auto of = [&](bool fused) {
      const auto block = make_block(kGrowth48, fused, type, true);
      block->eval();
      return block->forward(x, context).map;
    };
    CHECK(difference(of(true), of(false)) < allowed);
  }
}

TEST_CASE("a dense block that is frozen or drops features is the plain one") {
  const auto x = input({2, 64, 8, 8}, at::kDouble).requires_grad_();
  const auto same = [&](DenseBlockOptions options, auto prepare) {
    at::Tensor of[2];
    for (const bool fused : {false, true}) {
      const auto block = make_block(options, fused, at::kDouble, true);
      prepare(*block);
      bcx::sdk::ModelContext context{at::make_generator<at::CPUGeneratorImpl>(7)};
      of[fused] = block->forward(x, context).map;
      CHECK(of[fused].requires_grad());
    }
    return at::equal(of[0], of[1]);
  };
  auto dropping = kGrowth32;
  dropping.drop_rate = 0.3;
  CHECK(same(dropping, [](DenseBlock&) {}));
  CHECK(same(kGrowth32, [](DenseBlock& block) { block.eval(); }));
  CHECK(same(kGrowth32, [](DenseBlock& block) { block.children()[2]->eval(); }));
}

namespace {

struct NormRelu {
  bool fused;
  int pool;
  at::ScalarType type;
};

Left train_norm_relu(const NormRelu& how, at::IntArrayRef shape, bool kinks) {
  bcx::sdk::BatchNorm2d norm(shape[1]);
  {
    const torch::NoGradGuard no_grad;
    norm.weight.copy_(fill("a.weight", {shape[1]}));
    norm.bias.copy_(fill("a.bias", {shape[1]}) + (kinks ? 0.0 : 10.0));
  }
  norm.to(how.type);
  const auto x = input(shape, how.type).requires_grad_();
  at::Tensor y;
  if (how.fused) {
    y = densenet::fused_norm_relu(norm, x * 1.0, {}, how.pool);
    REQUIRE(y.defined());
  } else {
    y = norm.forward(x * 1.0).relu();
    if (how.pool == 2) y = at::avg_pool2d(y, {2, 2}, {2, 2});
  }
  const auto probe = (2 * fill_uniform("probe", y.sizes()) - 1).to(how.type);
  (y * probe).sum().backward();
  return {{"y", y.detach()},
          {"input", x.grad()},
          {"weight", norm.weight.grad()},
          {"bias", norm.bias.grad()},
          {"running_mean", norm.running_mean},
          {"running_var", norm.running_var}};
}

}  // namespace

TEST_CASE("fused normalisation, relu and pooling train as one after the other") {
  for (const int pool : {1, 2}) {
    for (const auto& shape :
         {std::vector<std::int64_t>{3, 48, 6, 10}, std::vector<std::int64_t>{2, 16, 40, 36}}) {
      const auto near = [](double allowed) {
        return [allowed](const auto&, const auto& got, const auto& expected) {
          CHECK(difference(got, expected) < allowed);
        };
      };
      check_all(train_norm_relu({true, pool, at::kDouble}, shape, true),
                train_norm_relu({false, pool, at::kDouble}, shape, true), near(1e-10));
      check_all(train_norm_relu({true, pool, at::kFloat}, shape, false),
                train_norm_relu({false, pool, at::kFloat}, shape, false), near(1e-5));
    }
  }
  const bcx::sdk::BatchNorm2d norm(16);
  CHECK(!densenet::fused_norm_relu(norm, at::zeros({1, 16, 5, 4}), {}, 2).defined());
  CHECK(!densenet::fused_norm_relu(norm, at::zeros({1, 24, 4, 4}), {}, 2).defined());
}

namespace {

template <typename T>
void check_factors(const densenet::RowKernels<T>& kernels) {
  using A = densenet::Accumulate<T>;
  constexpr std::int64_t rows = 32, columns = 48;
  std::vector<A> in;
  for (const double u : fill_uniform("factor", rows * columns)) in.push_back(static_cast<A>(u));
  std::vector<T> factor(in.size()), transposed(in.size());
  kernels.write_factor({in.data(), columns}, {rows, columns}, factor.data(), columns);
  kernels.write_transposed_factor({in.data(), columns}, {rows, columns}, transposed.data(), rows);
  const auto at = [](const std::vector<T>& values, std::int64_t k, std::int64_t n,
                     std::int64_t width) {
    if constexpr (sizeof(T) == 2) {
      return static_cast<float>(
          at::BFloat16(values[static_cast<std::size_t>(k / 2 * 2 * width + 2 * n + k % 2)].bits,
                       at::BFloat16::from_bits()));
    } else {
      return values[static_cast<std::size_t>(k * width + n)];
    }
  };
  bool same = true;
  for (std::int64_t r = 0; r < rows; ++r)
    for (std::int64_t c = 0; c < columns; ++c) {
      A value = in[static_cast<std::size_t>(r * columns + c)];
      if constexpr (sizeof(T) == 2) value = static_cast<float>(at::BFloat16(value));
      same = same && at(factor, r, c, columns) == value && at(transposed, c, r, rows) == value;
    }
  CHECK(same);
}

void check_rounding(const densenet::RowKernels<densenet::Bfloat16>& kernels) {
  const float nan = std::numeric_limits<float>::quiet_NaN(),
              infinity = std::numeric_limits<float>::infinity();
  // Halfway cases go to the even neighbour: 1 + 2^-8 and 1 + 3 * 2^-8.
  std::vector<float> in{1.00390625f, 1.01171875f, -1.00390625f, 3.4e38f, infinity,   -infinity,
                        nan,         0.0f,        -0.0f,        1e-40f,  1.0039064f, 1.0039062f,
                        2.5f,        -7.0f,       1e30f,        1e-30f};
  std::vector<densenet::Bfloat16> out(in.size());
  std::vector<double> sums(in.size());
  kernels.round({in.data(), 16}, {1, 16}, {out.data(), 16}, {sums.data(), sums.data()});
  for (std::size_t i = 0; i < in.size(); ++i) {
    INFO(in[i]);
    if (std::isnan(in[i]))
      CHECK((out[i].bits & 0x7fff) > 0x7f80);
    else if (in[i] != 1e-40f)  // the processor's own rounding flushes what is that small
      CHECK(out[i].bits == at::BFloat16(in[i]).x);
  }
}

}  // namespace

TEST_CASE("every generation of passes rounds and lays out alike") {
  std::vector<const densenet::Generation*> here{&densenet::kBase};
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    here.push_back(&densenet::kAvx2);
  if (__builtin_cpu_supports("avx512bf16")) here.push_back(&densenet::kAvx512);
#endif
  for (const auto* generation : here) {
    check_factors(generation->of_bfloat16);
    check_factors(generation->of_float);
    check_factors(generation->of_double);
    check_rounding(generation->of_bfloat16);
  }
}

}  // namespace bcx::test
