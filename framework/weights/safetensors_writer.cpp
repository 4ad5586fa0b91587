#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "base/atomic_file.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/text.h"
#include "weights/safetensors.h"
#include "weights/safetensors_header.h"

namespace bcx::weights {

struct SafetensorsWriter::State {
  explicit State(const std::filesystem::path& path) : file(path) {}

  void put(std::span<const std::byte> bytes) {
    file.write(bytes);
    hash.update(bytes);
    written += bytes.size();
  }

  AtomicFile file;
  Sha256 hash;
  std::uint64_t written = 0, expected = 0;
};

SafetensorsWriter::SafetensorsWriter(const std::filesystem::path& path,
                                     std::vector<TensorInfo> layout, const Metadata& metadata) {
  const std::string header = header_text(layout, metadata);
  if (header.size() > header_limit) throw std::logic_error("a safetensors header is too large");
  state_ = std::make_unique<State>(path);
  state_->expected = 8 + header.size();
  for (const auto& tensor : layout)
    state_->expected +=
        static_cast<std::uint64_t>(*elements_of(tensor.shape)) * size_of(tensor.dtype);
  const std::uint64_t length = header.size();
  state_->put(std::as_bytes(std::span(&length, 1)));
  state_->put(std::as_bytes(std::span(header)));
}

SafetensorsWriter::~SafetensorsWriter() = default;

void SafetensorsWriter::write(std::span<const std::byte> bytes) {
  if (bytes.size() > state_->expected - state_->written)
    throw std::logic_error("more bytes than the safetensors layout has");
  state_->put(bytes);
}

WrittenFile SafetensorsWriter::finish() {
  if (state_->written != state_->expected)
    throw std::logic_error("fewer bytes than the safetensors layout has");
  const WrittenFile result{state_->hash.hex(), state_->written};
  const auto& temporary = state_->file.finish();
  if (SafetensorsFile::open(temporary).sha256() != result.sha256)
    throw Error(ExitCode::storage,
                {"does not read back as it was written", printable(state_->file.path().string()),
                 "check the disk; the file before it is untouched"});
  state_->file.commit();
  return result;
}

WrittenFile write_safetensors(const std::filesystem::path& path,
                              std::span<const TensorView> tensors, const Metadata& metadata) {
  std::vector<const TensorView*> order;
  for (const auto& tensor : tensors) order.push_back(&tensor);
  std::stable_sort(order.begin(), order.end(), [](const TensorView* a, const TensorView* b) {
    return size_of(a->dtype) > size_of(b->dtype);
  });
  std::vector<TensorInfo> layout;
  for (const auto* tensor : order) layout.push_back({tensor->name, tensor->dtype, tensor->shape});
  SafetensorsWriter writer(path, std::move(layout), metadata);
  for (const auto* tensor : order) writer.write(tensor->bytes);
  return writer.finish();
}

}  // namespace bcx::weights
