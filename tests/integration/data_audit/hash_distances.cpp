// Where the threshold of near duplicates lies among real pictures: every pair of the 352 shared
// ones.
#include <algorithm>
#include <array>
#include <bit>
#include <filesystem>
#include <vector>

#include "data/audit.h"
#include "data/breakhis.h"
#include "data/images.h"
#include "data/resize.h"
#include "tests/catch.h"

using namespace bcx::data;

namespace {

struct Hashed {
  std::string of_case;
  std::uint64_t hash, pixels;
};

std::vector<Hashed> hashed_pictures() {
  std::vector<Hashed> all;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(bcx::test::shared_dir() /
                                                                         "data/BreaKHis_v1")) {
    if (entry.path().extension() != ".png") continue;
    const auto name = parse_breakhis_name(entry.path().filename().string());
    const auto image = read_image(entry.path()).image;
    all.push_back({name->case_id(), perceptual_hash(image.view()), pixel_hash(image.view())});
  }
  return all;
}

}  // namespace

TEST_CASE("pairs of real pictures within the threshold are of one case, and few") {
  BCX_NEEDS_SHARED("data/BreaKHis_v1");
  const auto all = hashed_pictures();
  REQUIRE(all.size() == 352);
  std::array<std::array<int, 65>, 2> pairs{};  // [of one case][bits]
  int identical = 0;
  for (std::size_t i = 0; i < all.size(); ++i)
    for (std::size_t k = i + 1; k < all.size(); ++k) {
      const auto bits = static_cast<std::size_t>(std::popcount(all[i].hash ^ all[k].hash));
      ++pairs[all[i].of_case == all[k].of_case][bits];
      identical += all[i].pixels == all[k].pixels;
    }
  const auto within = [&](bool same, int bits) {
    int count = 0;
    for (int b = 0; b <= bits; ++b) count += pairs[same][static_cast<std::size_t>(b)];
    return count;
  };
  std::string table;
  for (int bits = 0; bits <= 20; bits += 2)
    table += "\n" + std::to_string(bits) + " bits: " + std::to_string(within(true, bits)) +
             " pairs of one case, " + std::to_string(within(false, bits)) + " of two cases";
  WARN("61,776 pairs, " << identical << " with the same pixels; within" << table);
  CHECK(identical == 0);
  CHECK(within(false, near_duplicate_distance) == 0);
}
