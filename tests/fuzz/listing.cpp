// Any text as a list of BreakHis's file names or a published fold file.
#include "data/listing.h"
#include "tests/fuzz/fuzz.h"

using namespace bcx;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const fuzz::Folder folder;
  const auto file = folder.write("names.txt", fuzz::text_of(data, size));
  fuzz::take_or_refuse([&] { data::read_breakhis_listing(file); });
  return 0;
}
