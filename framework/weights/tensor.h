// Tensors as they lie in a weights file: a name, a type, a shape, and bytes. No torch here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace bcx::weights {

/// Element types of the safetensors format that bcx reads and writes. Little-endian, always.
enum class DType : std::uint8_t { f64, f32, f16, bf16, i64, i32, i16, i8, u8, boolean };

std::size_t size_of(DType dtype);       ///< bytes of one element: 8, 4, 2 or 1
std::string_view name_of(DType dtype);  ///< the format's name: `F32`, `BF16`, `BOOL`
std::optional<DType> dtype_named(std::string_view name);
bool is_floating(DType dtype);

/// Extents, outermost first; empty for a scalar. Never negative; zero is allowed.
using Shape = std::vector<std::int64_t>;

/// `[64, 3, 7, 7]`, `[]` for a scalar.
std::string text_of(const Shape& shape);

/// Product of the extents, none when it does not fit in 63 bits or an extent is negative.
std::optional<std::int64_t> elements_of(const Shape& shape);

/// One tensor inside a file or a buffer. `bytes` are row-major, borrowed from whoever made the
/// view, and need not be aligned for their type: copy them out with memcpy.
struct TensorView {
  std::string name;
  DType dtype = DType::f32;
  Shape shape;
  std::span<const std::byte> bytes;

  std::int64_t elements() const { return static_cast<std::int64_t>(bytes.size() / size_of(dtype)); }
};

/// Throws bcx::Error (data) naming the first NaN or infinity in a floating tensor; other types
/// pass. `where` is the file or run that the tensor belongs to, as the error shall name it.
void require_finite(const TensorView& tensor, std::string_view where);

/// The elements as float32: F32 as they are, F16 and BF16 exactly, F64 rounded to nearest, integers
/// and BOOL converted. `out` has as many elements as the tensor.
void copy_as_float32(const TensorView& tensor, std::span<float> out);

}  // namespace bcx::weights
