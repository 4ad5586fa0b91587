// Views of test-time augmentation by flips and quarter turns: the picture's own pixels in other
// places, to the bit.
#include <algorithm>
#include <array>
#include <set>

#include "augmentation_fixture.h"
#include "base/philox.h"
#include "plugin/catalog.h"
#include "train/input.h"

namespace {

using bcx::test::Values;
using Named = std::pair<std::string, Values>;

constexpr std::int64_t count = 16;

std::vector<std::uint8_t> noise(std::int64_t side) {
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(count * side * side * 3));
  const bcx::Stream stream(7, "views");
  for (std::size_t i = 0; i < bytes.size(); ++i)
    bytes[i] = static_cast<std::uint8_t>(stream.word(i));
  return bytes;
}

/// With ImageNet's normalisation, as a run has it.
bcx::train::InputPipeline pipeline(const std::vector<std::uint8_t>& bytes, std::int64_t side,
                                   const std::vector<Named>& wanted) {
  bcx::train::SampleInfo samples;
  for (std::int64_t i = 0; i < count; ++i) {
    samples.ids.push_back(static_cast<std::uint64_t>(i) * 7919 + 5);
    samples.labels.push_back(i % 2);
  }
  bcx::plugin::Search search;
  search.environment = search.user = false;
  search.built_in = bcx::test::build_dir() / "lib/bcx/plugins";
  static const bcx::plugin::PluginCatalog catalog(search);
  std::vector<bcx::train::NamedAugmentation> augmentations;
  for (const auto& [name, values] : wanted)
    augmentations.push_back(
        {name, bcx::test::augmentation(name, values),
         bcx::plugin::CallSite(*catalog.find(bcx::config::ComponentKind::augmentation, name))});
  return {bcx::train::ResidentImages({bytes.data(), count, side, side}, at::kCPU),
          std::move(samples),
          std::move(augmentations),
          {.mean = {0.485, 0.456, 0.406}, .std = {0.229, 0.224, 0.225}},
          side,
          2,
          42};
}

std::vector<std::int64_t> all() {
  std::vector<std::int64_t> indexes(count);
  std::iota(indexes.begin(), indexes.end(), 0);
  return indexes;
}

/// The bytes moved by an index rule: symmetry k of the square's eight, written out. The plain
/// picture is then read from them without any map.
std::vector<std::uint8_t> moved(const std::vector<std::uint8_t>& bytes, std::int64_t side, int k) {
  std::vector<std::uint8_t> out(bytes.size());
  for (std::int64_t n = 0; n < count; ++n)
    for (std::int64_t y = 0; y < side; ++y)
      for (std::int64_t x = 0; x < side; ++x) {
        const auto last = side - 1;
        std::int64_t from_y = y, from_x = x;
        if (k & 1) from_x = last - from_x;     // mirrored left-right
        if (k & 2) from_y = last - from_y;     // mirrored top-bottom
        if (k & 4) std::swap(from_y, from_x);  // and about the diagonal
        for (std::int64_t c = 0; c < 3; ++c)
          out[static_cast<std::size_t>(((n * side + y) * side + x) * 3 + c)] =
              bytes[static_cast<std::size_t>(((n * side + from_y) * side + from_x) * 3 + c)];
      }
  return out;
}

std::array<at::Tensor, 8> symmetries(const std::vector<std::uint8_t>& bytes, std::int64_t side) {
  std::array<at::Tensor, 8> made;
  for (int k = 0; k < 8; ++k) {
    const auto changed = moved(bytes, side, k);
    made[static_cast<std::size_t>(k)] = pipeline(changed, side, {}).evaluation(all());
  }
  return made;
}

/// Which symmetry each picture of each of 12 views is; fails when it is none to the bit.
std::set<int> seen(const bcx::train::InputPipeline& input,
                   const std::array<at::Tensor, 8>& expected) {
  std::set<int> kinds;
  for (std::int64_t view = 1; view <= 12; ++view) {
    const auto images = input.view(all(), view);
    for (std::int64_t n = 0; n < count; ++n) {
      const auto found = std::find_if(expected.begin(), expected.end(), [&](const auto& one) {
        return at::equal(one[n], images[n]);
      });
      INFO("view " << view << ", picture " << n);
      REQUIRE(found != expected.end());
      kinds.insert(static_cast<int>(found - expected.begin()));
    }
  }
  return kinds;
}

}  // namespace

TEST_CASE("views by flips and quarter turns are the picture's own pixels, to the bit") {
  for (const std::int64_t side : {16, 17, 224}) {
    INFO(side << " pixels");
    const auto bytes = noise(side);
    const auto expected = symmetries(bytes, side);
    const Named flip{"flip", {{"horizontal", 0.5}, {"vertical", 0.5}}};
    const Named turns{"quarter_turns", {{"mirror", false}}};
    const Named both{"quarter_turns", {{"mirror", true}}};
    CHECK(seen(pipeline(bytes, side, {flip}), expected) == std::set{0, 1, 2, 3});
    CHECK(seen(pipeline(bytes, side, {turns}), expected) == std::set{0, 3, 5, 6});
    CHECK(seen(pipeline(bytes, side, {both}), expected) == std::set{0, 1, 2, 3, 4, 5, 6, 7});
    CHECK(seen(pipeline(bytes, side, {turns, flip}), expected) == std::set{0, 1, 2, 3, 4, 5, 6, 7});
    // View 0 is the picture itself, whatever the augmentations.
    CHECK(at::equal(pipeline(bytes, side, {both, flip}).view(all(), 0), expected[0]));
  }
}

TEST_CASE("a flip that always happens mirrors by index") {
  const auto bytes = noise(31);
  const auto expected = symmetries(bytes, 31);
  const auto view = [&](double horizontal, double vertical) {
    return pipeline(bytes, 31, {{"flip", {{"horizontal", horizontal}, {"vertical", vertical}}}})
        .view(all(), 1);
  };
  CHECK(at::equal(view(1.0, 0.0), expected[1]));
  CHECK(at::equal(view(0.0, 1.0), expected[2]));
  CHECK(at::equal(view(1.0, 1.0), expected[3]));
}
