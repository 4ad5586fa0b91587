// The safetensors format, read strictly and written whole.
//
// Layout (https://github.com/huggingface/safetensors, README, "Format"): eight bytes, the header's
// length N, little-endian; N bytes of JSON, `{"name": {"dtype": "F32", "shape": [..],
// "data_offsets": [begin, end]}, ..., "__metadata__": {"key": "text"}}`, padded with spaces; then
// the tensors' bytes, to which the offsets are relative.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "weights/tensor.h"

namespace bcx::weights {

/// Text that travels with the tensors: format, source, licence, a checkpoint's manifest.
using Metadata = std::map<std::string, std::string, std::less<>>;

/// A header may take this much; DenseNet201's takes 0.15 MB.
inline constexpr std::uint64_t header_limit = 32'000'000;

/// A safetensors file, mapped into memory and checked from end to end when opened:
/// regular file; header's length within header_limit and the file; JSON objects of the depth that
/// the format has and no deeper; no key twice; only known types; shapes whose byte count does not
/// overflow and equals the offsets' difference; offsets that, sorted, cover the data without gap or
/// overlap up to the file's last byte (the header's own order is free); metadata of text alone.
/// Values are not looked at: see require_finite().
///
/// Immutable and safe to read from many threads. Views borrow from the mapping: they are valid as
/// long as this object or a copy of it lives. The file must not be shortened meanwhile; bcx only
/// ever replaces files.
class SafetensorsFile {
 public:
  /// Throws bcx::Error (data) with the path and the first rule that the file breaks.
  static SafetensorsFile open(const std::filesystem::path& path);

  const std::filesystem::path& path() const;
  const Metadata& metadata() const;
  /// All tensors in the order of their bytes in the file.
  std::span<const TensorView> tensors() const;
  /// The tensor of that name, nullptr if there is none.
  const TensorView* find(std::string_view name) const;
  std::uint64_t file_size() const;
  /// SHA-256 over the whole file, 64 hex digits. Reads every byte.
  std::string sha256() const;

 private:
  struct State;
  explicit SafetensorsFile(std::shared_ptr<const State> state) : state_(std::move(state)) {}
  std::shared_ptr<const State> state_;
};

/// Name, type and shape of a tensor whose bytes come later.
struct TensorInfo {
  std::string name;
  DType dtype = DType::f32;
  Shape shape;
};

/// What a finished file is.
struct WrittenFile {
  std::string sha256;  ///< of the whole file, 64 hex digits
  std::uint64_t size = 0;
};

/// Writes a file tensor by tensor, in the order of the layout, without holding them all:
///
///     SafetensorsWriter writer("last.safetensors", layout, metadata);
///     for (const auto& tensor : tensors) writer.write(tensor.bytes);
///     const WrittenFile written = writer.finish();
///
/// Temporary file in the same folder, fsync, verify (read back strictly, SHA-256 compared), rename,
/// fsync of the folder. Without finish() nothing is left behind and an older file stays as it was.
/// Errors: bcx::Error (storage) from the file system or a failed verification; std::logic_error for
/// layouts that are no file (a name twice, a negative extent) and for bytes that do not fit the
/// layout.
class SafetensorsWriter {
 public:
  SafetensorsWriter(const std::filesystem::path& path, std::vector<TensorInfo> layout,
                    const Metadata& metadata = {});
  ~SafetensorsWriter();
  SafetensorsWriter(const SafetensorsWriter&) = delete;
  SafetensorsWriter& operator=(const SafetensorsWriter&) = delete;

  /// The next bytes of the data part; a tensor may come in pieces.
  void write(std::span<const std::byte> bytes);
  WrittenFile finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// All tensors at once, largest element type first (so that every tensor is aligned for its type),
/// otherwise in the order given. The same tensors and metadata give the same bytes.
WrittenFile write_safetensors(const std::filesystem::path& path,
                              std::span<const TensorView> tensors, const Metadata& metadata = {});

}  // namespace bcx::weights
