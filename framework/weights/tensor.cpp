#include "weights/tensor.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <stdexcept>

#include "base/error.h"
#include "base/text.h"

namespace bcx::weights {
namespace {

struct TypeFacts {
  DType dtype;
  std::string_view name;
  std::size_t size;
};

constexpr std::array<TypeFacts, 10> type_facts{{{DType::f64, "F64", 8},
                                                {DType::f32, "F32", 4},
                                                {DType::f16, "F16", 2},
                                                {DType::bf16, "BF16", 2},
                                                {DType::i64, "I64", 8},
                                                {DType::i32, "I32", 4},
                                                {DType::i16, "I16", 2},
                                                {DType::i8, "I8", 1},
                                                {DType::u8, "U8", 1},
                                                {DType::boolean, "BOOL", 1}}};

static_assert(std::endian::native == std::endian::little, "safetensors is little-endian");

const TypeFacts& facts(DType dtype) {
  return type_facts[static_cast<std::size_t>(dtype)];
}

/// IEEE 754 binary16 to binary32: exact, subnormals included.
float from_half(std::uint16_t bits) {
  const std::uint32_t sign = static_cast<std::uint32_t>(bits & 0x8000u) << 16;
  const std::uint32_t exponent = (bits >> 10) & 0x1Fu, fraction = bits & 0x3FFu;
  if (exponent == 0) {
    const float magnitude = std::ldexp(static_cast<float>(fraction), -24);
    return sign ? -magnitude : magnitude;
  }
  const std::uint32_t wide = exponent == 31 ? 255u : exponent + 112u;
  return std::bit_cast<float>(sign | (wide << 23) | (fraction << 13));
}

/// bfloat16 is the upper half of a float32.
float from_brain(std::uint16_t bits) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
}

/// Calls `use(i, value)` for each element; `decode` turns the stored type into a number.
template <typename Stored, typename Use, typename Decode>
void each(std::span<const std::byte> bytes, Use use, Decode decode) {
  for (std::size_t i = 0; i < bytes.size() / sizeof(Stored); ++i) {
    Stored stored;
    std::memcpy(&stored, bytes.data() + i * sizeof(Stored), sizeof(Stored));
    use(i, decode(stored));
  }
}

template <typename Use>
void each_element(const TensorView& tensor, Use use) {
  const auto as_is = [](auto value) { return value; };
  switch (tensor.dtype) {
    case DType::f64:
      return each<double>(tensor.bytes, use, as_is);
    case DType::f32:
      return each<float>(tensor.bytes, use, as_is);
    case DType::f16:
      return each<std::uint16_t>(tensor.bytes, use, from_half);
    case DType::bf16:
      return each<std::uint16_t>(tensor.bytes, use, from_brain);
    case DType::i64:
      return each<std::int64_t>(tensor.bytes, use, as_is);
    case DType::i32:
      return each<std::int32_t>(tensor.bytes, use, as_is);
    case DType::i16:
      return each<std::int16_t>(tensor.bytes, use, as_is);
    case DType::i8:
      return each<std::int8_t>(tensor.bytes, use, as_is);
    case DType::u8:
      return each<std::uint8_t>(tensor.bytes, use, as_is);
    case DType::boolean:
      return each<std::uint8_t>(tensor.bytes, use, [](std::uint8_t byte) { return byte != 0; });
  }
}

}  // namespace

std::size_t size_of(DType dtype) {
  return facts(dtype).size;
}
std::string_view name_of(DType dtype) {
  return facts(dtype).name;
}

std::optional<DType> dtype_named(std::string_view name) {
  for (const auto& type : type_facts)
    if (type.name == name) return type.dtype;
  return std::nullopt;
}

bool is_floating(DType dtype) {
  return dtype <= DType::bf16;
}

std::string text_of(const Shape& shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

std::optional<std::int64_t> elements_of(const Shape& shape) {
  // A zero anywhere makes the product zero, but only after every extent has been looked at: a
  // shape such as [2^62, 2^62, 0] is refused like numpy refuses it.
  std::int64_t product = 1;
  for (const std::int64_t extent : shape) {
    if (extent < 0) return std::nullopt;
    if (extent != 0 && __builtin_mul_overflow(product, extent, &product)) return std::nullopt;
  }
  for (const std::int64_t extent : shape)
    if (extent == 0) return 0;
  return product;
}

void require_finite(const TensorView& tensor, std::string_view where) {
  if (!is_floating(tensor.dtype)) return;
  each_element(tensor, [&](std::size_t i, auto value) {
    if (!std::isfinite(static_cast<double>(value)))
      throw Error(ExitCode::data,
                  {fmt::format("tensor \"{}\" {} holds {} at element {}", printable(tensor.name),
                               text_of(tensor.shape), static_cast<double>(value), i),
                   printable(where), "weights must be finite"});
  });
}

void copy_as_float32(const TensorView& tensor, std::span<float> out) {
  if (static_cast<std::int64_t>(out.size()) != tensor.elements())
    throw std::invalid_argument("copy of a tensor into a span of another size");
  each_element(tensor, [&](std::size_t i, auto value) { out[i] = static_cast<float>(value); });
}

}  // namespace bcx::weights
