#include "bcx/sdk/draws.h"

#include <ATen/ATen.h>

#include "base/philox.h"

namespace bcx::sdk {
namespace {

/// High and low 32 bits of a 32x32-bit product, element-wise on int64 tensors that hold 32-bit values.
struct Product {
  at::Tensor high, low;
};

constexpr std::int64_t mask = 0xFFFFFFFF;

/// int64 multiplication wraps modulo 2^64, which is what an unsigned 64-bit product is; the shift is
/// arithmetic, hence the mask after it.
Product multiply(std::int64_t constant, const at::Tensor& x) {
  const at::Tensor wide = x * constant;
  return {at::bitwise_right_shift(wide, 32).bitwise_and_(mask), wide.bitwise_and(mask)};
}

}  // namespace

Draws::Draws(std::uint64_t seed, std::string purpose, std::uint64_t epoch,
             std::vector<std::uint64_t> sample_ids, at::Device device)
    : seed_(seed),
      purpose_(std::move(purpose)),
      epoch_(epoch),
      sample_ids_(std::move(sample_ids)),
      device_(device) {}

at::Tensor Draws::uniform(std::int64_t k) {
  auto table = at::empty({size(), k}, at::kFloat);
  auto rows = table.accessor<float, 2>();
  for (std::int64_t n = 0; n < size(); ++n) {
    const Stream stream(seed_, purpose_, epoch_, sample_ids_[static_cast<std::size_t>(n)]);
    for (std::int64_t i = 0; i < k; ++i)
      rows[n][i] = static_cast<float>(stream.uniform(drawn_ + static_cast<std::uint64_t>(i)));
  }
  drawn_ += static_cast<std::uint64_t>(k);
  return device_.is_cpu() ? table : table.to(device_, /*non_blocking=*/true);
}

at::Tensor Draws::field(at::IntArrayRef shape) {
  // The same Philox as base/philox.h in int64 tensor arithmetic, so that every device gives the same
  // bits; a test compares it with the scalar one.
  const Stream stream(seed_, purpose_ + "/field" + std::to_string(fields_++), epoch_, 0);
  const auto key = stream.key();
  const std::int64_t count = c10::multiply_integers(shape);
  const std::int64_t blocks = (count + 3) / 4;
  const auto options = at::TensorOptions().dtype(at::kLong).device(device_);

  std::vector<std::int64_t> ids(sample_ids_.begin(), sample_ids_.end());
  const auto id = at::tensor(ids, at::kLong).to(device_).unsqueeze(1);
  const auto block = at::arange(blocks, options).unsqueeze(0);
  at::Tensor c0 = block.bitwise_and(mask).expand({size(), blocks});
  at::Tensor c1 = at::bitwise_right_shift(block, 32).bitwise_and(mask).expand({size(), blocks});
  at::Tensor c2 = id.bitwise_and(mask).expand({size(), blocks});
  at::Tensor c3 = at::bitwise_right_shift(id, 32).bitwise_and(mask).expand({size(), blocks});
  std::int64_t k0 = key[0], k1 = key[1];
  for (int round = 0; round < 10; ++round) {
    const Product p0 = multiply(0xD2511F53, c0), p1 = multiply(0xCD9E8D57, c2);
    c0 = p1.high.bitwise_xor(c1).bitwise_xor(k0);
    c1 = p1.low;
    c2 = p0.high.bitwise_xor(c3).bitwise_xor(k1);
    c3 = p0.low;
    k0 = (k0 + 0x9E3779B9) & mask;
    k1 = (k1 + 0xBB67AE85) & mask;
  }
  auto words = at::stack({c0, c1, c2, c3}, 2).flatten(1).narrow(1, 0, count);
  auto values = at::bitwise_right_shift(words, 8).to(at::kFloat).mul_(0x1.0p-24);
  std::vector<std::int64_t> full{size()};
  full.insert(full.end(), shape.begin(), shape.end());
  return values.reshape(full);
}

}  // namespace bcx::sdk
