#include "data/contact_sheet.h"

#include "data_set.h"
#include "tests/catch.h"

using namespace bcx;
using namespace bcx::data;
using namespace bcx::test;

namespace {

int red(const Image& sheet, std::int64_t y, std::int64_t x) {
  return sheet.rgb[static_cast<std::size_t>((y * sheet.width + x) * 3)];
}

}  // namespace

TEST_CASE("tiles stand in rows with their labels below") {
  const Image dark(20, 20, 10), light(20, 20, 180);
  const std::vector<Tile> tiles = {
      {dark.view(), {"one"}}, {light.view(), {"two"}}, {dark.view(), {"three"}}};
  const Image sheet = contact_sheet(tiles, 32);
  CHECK(sheet.width == 2 * 42 + 10);
  CHECK(sheet.height == 2 * (42 + 14) + 10);
  CHECK(red(sheet, 10, 10) == 10);
  CHECK(red(sheet, 41, 41) == 10);
  CHECK(red(sheet, 10, 52) == 180);
  CHECK(red(sheet, 66, 10) == 10);
  CHECK(red(sheet, 66, 52) == 255);  // no fourth tile
  int drawn = 0;
  for (std::int64_t y = 42; y < 56; ++y)
    for (std::int64_t x = 10; x < 42; ++x) drawn += red(sheet, y, x) < 128;
  CHECK(drawn > 10);
}

TEST_CASE("a long or foreign label stays within its tile") {
  const Image dark(20, 20, 10);
  const std::vector<Tile> tiles = {{dark.view(), {std::string(500, 'W'), "caf\xC3\xA9\x1B[2J"}},
                                   {dark.view(), {"", ""}}};
  const Image sheet = contact_sheet(tiles, 32, 2);
  for (std::int64_t y = 42; y < sheet.height; ++y)
    for (std::int64_t x = 44; x < sheet.width; ++x) REQUIRE(red(sheet, y, x) == 255);
}

TEST_CASE("a preview shows all classes alike, the same for the same seed") {
  SampleTable table;
  table.classes = {"a", "b", "c"};
  for (int i = 0; i < 100; ++i) {
    Sample sample;
    sample.label = i < 90 ? 0 : i < 95 ? 1 : 2;
    table.samples.push_back(sample);
  }
  const auto chosen = preview_samples(table, 9, 1);
  CHECK(chosen == preview_samples(table, 9, 1));
  CHECK(chosen != preview_samples(table, 9, 2));
  int counts[3] = {};
  for (const auto i : chosen) ++counts[table.samples[i].label];
  CHECK(counts[0] == 3);
  CHECK(counts[1] == 3);
  CHECK(counts[2] == 3);
  CHECK(std::is_sorted(chosen.begin(), chosen.end()));
  CHECK(preview_samples(table, 1000, 1).size() == 100);
}

TEST_CASE("the preview's pictures go through the hook") {
  TemporaryFolder folder;
  DecodeOptions options;
  options.use_cache = false;
  const DecodedData data = decode_all(make_data_set(folder.path(), 6), small_config(), options);
  const std::vector<Part> parts(6, Part::test);
  const std::vector<std::size_t> samples = {1, 4};
  const Image plain = preview_sheet(data, parts, samples);
  const Image black =
      preview_sheet(data, parts, samples, [&](auto pixels, const PixelView& shape, auto which) {
        CHECK(shape.count == 2);
        CHECK(which[1] == 4);
        std::fill(pixels.begin(), pixels.end(), std::uint8_t{0});
      });
  CHECK(plain.width == black.width);
  CHECK(red(black, 50, 50) == 0);
  CHECK(plain.rgb != black.rgb);
}
