#include <torch/types.h>

#include "base/philox.h"
#include "bcx/sdk/draws.h"
#include "tests/catch.h"

using namespace bcx;

TEST_CASE("uniform numbers are the stream's, whatever the batch") {
  sdk::Draws draws(42, "augmentation.rotate", 3, {11, 22, 33}, at::kCPU);
  const auto first = draws.uniform(2), second = draws.uniform(1);
  sdk::Draws alone(42, "augmentation.rotate", 3, {22}, at::kCPU);
  CHECK(at::equal(alone.uniform(2)[0], first[1]));
  CHECK(at::equal(alone.uniform(1)[0], second[1]));
  const Stream stream(42, "augmentation.rotate", 3, 33);
  CHECK(first[2][0].item<float>() == static_cast<float>(stream.uniform(0)));
  CHECK(second[2][0].item<float>() == static_cast<float>(stream.uniform(2)));
}

TEST_CASE("fields in tensor arithmetic are scalar Philox to the bit") {
  const std::vector<std::uint64_t> ids{1, 0xFFFFFFFFFFFFFFFFull, 0x123456789ABCDEF0ull};
  sdk::Draws draws(9, "augmentation.noise", 5, ids, at::kCPU);
  for (int field = 0; field < 2; ++field) {
    const auto values = draws.field({3, 5, 7});
    REQUIRE(values.sizes() == at::IntArrayRef({3, 3, 5, 7}));
    const auto flat = values.flatten(1);
    for (std::size_t n = 0; n < ids.size(); ++n) {
      const Stream stream(9, "augmentation.noise/field" + std::to_string(field), 5, 0);
      const auto key = stream.key();
      for (std::uint32_t i = 0; i < 105; ++i) {
        const auto block = philox4x32({i / 4, 0, static_cast<std::uint32_t>(ids[n]),
                                       static_cast<std::uint32_t>(ids[n] >> 32)},
                                      key);
        REQUIRE(flat[std::int64_t(n)][i].item<float>() ==
                static_cast<float>((block[i % 4] >> 8) * 0x1p-24));
      }
    }
  }
}
