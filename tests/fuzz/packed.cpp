// A packed file with right checksums around any table of samples, and any bytes as a packed file.
#include "data/pack.h"
#include "data/pixel_file.h"
#include "tests/fuzz/fuzz.h"

using namespace bcx;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const fuzz::Folder folder;
  const auto text = fuzz::text_of(data, size);
  fuzz::take_or_refuse([&] { data::load_packed(folder.write("raw.bcxpack", text)); });
  const auto path = folder.path() / "table.bcxpack";
  constexpr std::int64_t side = 2;
  data::PixelFileWriter file(path, data::PixelFileKind::pack, side);
  file.write(std::vector<std::uint8_t>(2 * side * side * 3));
  file.commit(text);
  fuzz::take_or_refuse([&] {
    const auto packed = data::load_packed(path);
    fuzz::require(packed.table.samples.size() == 2, "a sample for each picture");
    fuzz::require(packed.facts.size() == 2, "facts of each picture");
    for (const auto& sample : packed.table.samples)
      fuzz::require(
          sample.label >= 0 && static_cast<std::size_t>(sample.label) < packed.table.classes.size(),
          "a sample's class is one of the table's");
  });
  return 0;
}
