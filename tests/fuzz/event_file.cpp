// Any bytes as a TensorBoard event file; records with right checksums around pieces of them, too.
#include "tracker/event_file.h"
#include "tests/fuzz/fuzz.h"

using namespace bcx;

namespace {

template <typename T>
std::string bytes_of(T value) {
  return std::string(reinterpret_cast<const char*>(&value), sizeof value);
}

std::string record(std::string_view data) {
  const auto length = bytes_of(static_cast<std::uint64_t>(data.size()));
  return length + bytes_of(tracker::masked_crc32c(length)) + std::string(data) +
         bytes_of(tracker::masked_crc32c(data));
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const fuzz::Folder folder;
  const auto text = fuzz::text_of(data, size);
  fuzz::take_or_refuse([&] { tracker::read_event_file(folder.write("tfevents.raw", text)); });
  const auto summed = folder.write(
      "tfevents.summed", record(text.substr(0, size / 2)) + record(text.substr(size / 2)));
  fuzz::take_or_refuse([&] { tracker::read_event_file(summed); });
  return 0;
}
