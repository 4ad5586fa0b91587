// An augmentation out of its plugin file, and draws for given samples.
#pragma once

#include <ATen/ATen.h>

#include <numeric>

#include "bcx/sdk/augmentation.h"
#include "tests/plugin_entry.h"

namespace bcx::test {

/// `plugin`: the file's name, where it is not the component's.
inline std::unique_ptr<sdk::Augmentation> augmentation(const std::string& name, Values values,
                                                       const std::string& plugin = {}) {
  return component(plugin.empty() ? name : plugin, name)
      .augmentation(sdk::Params(std::move(values)));
}

inline sdk::Draws draws(std::vector<std::uint64_t> samples) {
  return sdk::Draws(42, "augmentation.test", 3, std::move(samples), at::kCPU);
}

inline std::vector<std::uint64_t> samples(std::size_t count) {
  std::vector<std::uint64_t> ids(count);
  std::iota(ids.begin(), ids.end(), 100);
  return ids;
}

/// [N, 3, 5, 7] in [0, 1], with a grey, a black and a white pixel in each picture.
inline at::Tensor pictures(std::int64_t n, at::ScalarType type = at::kFloat) {
  auto x = (at::arange(n * 105, at::kDouble) * 12.9898).sin().mul(43758.5453).frac().abs();
  x = x.view({n, 3, 5, 7});
  x.slice(2, 0, 1).slice(3, 0, 1).fill_(0.25);
  x.slice(2, 0, 1).slice(3, 1, 2).fill_(0.0);
  x.slice(2, 0, 1).slice(3, 2, 3).fill_(1.0);
  return x.to(type);
}

}  // namespace bcx::test
