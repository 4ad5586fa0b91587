#include "weights/tensor.h"

#include <bit>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "tests/catch.h"

using namespace bcx;
using namespace bcx::weights;

namespace {

template <typename T>
TensorView view(DType dtype, const std::vector<T>& values) {
  return {"w", dtype, {static_cast<std::int64_t>(values.size())}, std::as_bytes(std::span(values))};
}

/// Half precision by its definition (IEEE 754-2019, 3.4), in double.
double half_by_definition(std::uint16_t bits) {
  const double sign = bits & 0x8000 ? -1.0 : 1.0;
  const int exponent = (bits >> 10) & 31, fraction = bits & 1023;
  if (exponent == 31)
    return fraction ? std::nan("") : sign * std::numeric_limits<double>::infinity();
  if (exponent == 0) return sign * fraction * std::pow(2.0, -24);
  return sign * (1.0 + fraction / 1024.0) * std::pow(2.0, exponent - 15);
}

}  // namespace

TEST_CASE("every half-precision number is widened exactly") {
  std::vector<std::uint16_t> all(65536);
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::uint16_t>(i);
  std::vector<float> wide(all.size());
  copy_as_float32(view(DType::f16, all), wide);
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const double expected = half_by_definition(all[i]);
    const bool equal = std::isnan(expected) ? std::isnan(wide[i])
                                            : static_cast<double>(wide[i]) == expected &&
                                                  std::signbit(wide[i]) == std::signbit(expected);
    wrong += !equal;
  }
  CHECK(wrong == 0);
}

TEST_CASE("other types become floats") {
  std::vector<float> out(2);
  copy_as_float32(view(DType::bf16, std::vector<std::uint16_t>{0x3F80, 0xC040}), out);
  CHECK(out == std::vector{1.0f, -3.0f});
  copy_as_float32(view(DType::f64, std::vector{0.1, 1e300}), out);
  CHECK(out[0] == 0.1f);
  copy_as_float32(view(DType::i8, std::vector<std::int8_t>{-128, 127}), out);
  CHECK(out == std::vector{-128.0f, 127.0f});
  copy_as_float32(view(DType::boolean, std::vector<std::uint8_t>{0, 2}), out);
  CHECK(out == std::vector{0.0f, 1.0f});
  CHECK_THROWS_WITH(copy_as_float32(view(DType::f32, std::vector{1.0f}), out),
                    "copy of a tensor into a span of another size");
}

TEST_CASE("not-a-number and infinity are refused by name and place") {
  const float inf = std::numeric_limits<float>::infinity();
  try {
    require_finite(view(DType::f32, std::vector{0.0f, 1.0f, -inf}), "best.safetensors");
    FAIL("accepted");
  } catch (const Error& error) {
    CHECK(error.code() == ExitCode::data);
    CHECK(std::string(error.what()) ==
          "best.safetensors: tensor \"w\" [3] holds -inf at element 2; weights must be finite");
  }
  CHECK_THROWS_AS(require_finite(view(DType::f64, std::vector{std::nan("")}), "x"), Error);
  CHECK_THROWS_AS(require_finite(view(DType::f16, std::vector<std::uint16_t>{0x7C00}), "x"), Error);
  CHECK_THROWS_AS(require_finite(view(DType::bf16, std::vector<std::uint16_t>{0xFFC0}), "x"),
                  Error);
  CHECK_NOTHROW(require_finite(view(DType::f16, std::vector<std::uint16_t>{0x7BFF}), "x"));
  CHECK_NOTHROW(require_finite(view(DType::i64, std::vector<std::int64_t>{-1}), "x"));
}

TEST_CASE("shapes") {
  CHECK(text_of({}) == "[]");
  CHECK(text_of({64, 3, 7, 7}) == "[64, 3, 7, 7]");
  CHECK(elements_of({}) == 1);
  CHECK(elements_of({4, 0, 2}) == 0);
  CHECK(elements_of({1ll << 31, 1ll << 31}) == 1ll << 62);
  CHECK_FALSE(elements_of({1ll << 32, 1ll << 31}));
  CHECK_FALSE(elements_of({1ll << 32, 0, 1ll << 32}));
  CHECK_FALSE(elements_of({-1}));
}

TEST_CASE("types have their format's names") {
  for (const auto& [name, size] : std::vector<std::pair<std::string, std::size_t>>{{"F64", 8},
                                                                                   {"F32", 4},
                                                                                   {"F16", 2},
                                                                                   {"BF16", 2},
                                                                                   {"I64", 8},
                                                                                   {"I32", 4},
                                                                                   {"I16", 2},
                                                                                   {"I8", 1},
                                                                                   {"U8", 1},
                                                                                   {"BOOL", 1}}) {
    const auto dtype = dtype_named(name);
    REQUIRE(dtype);
    CHECK(name_of(*dtype) == name);
    CHECK(size_of(*dtype) == size);
    CHECK(is_floating(*dtype) == (name.find('F') != std::string::npos));
  }
  CHECK_FALSE(dtype_named("U32"));
}
