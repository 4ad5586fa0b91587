// Any bytes as a safetensors file: every byte that a tensor claims can be read.
#include "weights/safetensors.h"
#include "tests/fuzz/fuzz.h"

using namespace bcx;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const fuzz::Folder folder;
  const auto path = folder.write("fuzz.safetensors", fuzz::text_of(data, size));
  fuzz::take_or_refuse([&] {
    const auto file = weights::SafetensorsFile::open(path);
    unsigned sum = 0;
    for (const auto& tensor : file.tensors()) {
      for (const std::byte one : tensor.bytes) sum += std::to_integer<unsigned>(one);
      fuzz::require(file.find(tensor.name) != nullptr, "a tensor is found by its name");
    }
    fuzz::require(sum <= 255u * size, "bytes lie in the file");
  });
  return 0;
}
