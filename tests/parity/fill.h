// The deterministic numbers that reference files were made with: the rule in
// ../shared/parity/fill.py, so that no weights need to be shipped.
#pragma once

#include <ATen/ATen.h>

#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace bcx::test {

/// u(name, i) for i in [0, count): (splitmix64(fnv1a64(name) + i) >> 11) * 2^-53, in [0, 1).
inline std::vector<double> fill_uniform(std::string_view name, std::int64_t count) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const unsigned char byte : name) hash = (hash ^ byte) * 0x100000001b3;
  std::vector<double> values(static_cast<std::size_t>(count));
  for (auto& value : values) {
    std::uint64_t z = hash++ + 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    value = static_cast<double>((z ^ z >> 31) >> 11) * 0x1p-53;
  }
  return values;
}

/// u(name, .) as a float64 tensor.
inline at::Tensor fill_uniform(std::string_view name, at::IntArrayRef shape) {
  const auto count = c10::multiply_integers(shape);
  return at::tensor(fill_uniform(name, count), at::kDouble).reshape(shape);
}

/// The float32 values of a floating-point tensor called `name`, by its role.
inline at::Tensor fill(const std::string& name, at::IntArrayRef shape) {
  const auto u = fill_uniform(name, shape);
  const auto has = [&](const char* part) { return name.find(part) != std::string::npos; };
  const auto ends = [&](std::string_view end) { return name.ends_with(end); };
  at::Tensor values;
  if (has("gamma") || has("layer_scale") || ends("running_var") ||
      (shape.size() == 1 && ends("weight")))
    values = 0.5 + u;
  else if (shape.size() <= 1)
    values = 0.2 * (u - 0.5);
  else
    values = (2 * u - 1) * std::sqrt(3.0 / static_cast<double>(u.numel() / shape[0]));
  return values.to(at::kFloat);
}

/// The input of a model, float32 [2, 3, side, side].
inline at::Tensor fill_input(std::int64_t side) {
  return (2 * fill_uniform("input", at::IntArrayRef{2, 3, side, side}) - 1).to(at::kFloat);
}

}  // namespace bcx::test
