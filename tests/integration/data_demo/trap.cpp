// The trap that bcx is about, on demo data: the same network, the same pictures, two ways to split.
#include "data/split.h"
#include "demo_table.h"
#include "small_network.h"
#include "tests/catch.h"

using namespace bcx;
using namespace bcx::data;

namespace {

constexpr std::int64_t side = 64;
constexpr int seeds = 5, folds = 3, epochs = 15;

test::Pictures pictures_of(const test::DemoSet& set) {
  test::Pictures pictures;
  pictures.side = side;
  pictures.count = static_cast<std::int64_t>(set.pictures.size());
  for (std::size_t i = 0; i < set.pictures.size(); ++i) {
    const auto& rgb = set.pictures[i].rgb;
    for (std::size_t c = 0; c < 3; ++c) {
      for (std::size_t k = c; k < rgb.size(); k += 3) {
        pictures.values.push_back((static_cast<float>(rgb[k]) - 170.0f) / 50.0f);
      }
    }
    pictures.labels.push_back(set.table.samples[i].label);
  }
  return pictures;
}

// Mean over the folds.
test::Outcome train_folds(const test::DemoSet& set, const std::string& by, std::uint64_t seed) {
  const auto pictures = pictures_of(set);
  config::SplitConfig config;
  config.by = by;
  config.by_given = true;
  config.method = "kfold";
  config.folds = folds;
  config.validation = 0;
  config.seed = seed;
  test::Outcome mean;
  for (config.fold = 0; config.fold < folds; ++config.fold) {
    const auto split = make_split(set.table, config);
    const auto outcome = test::train_and_test(pictures, split, epochs,
                                              seed + static_cast<std::uint64_t>(config.fold));
    mean.accuracy += outcome.accuracy / folds;
    mean.auc += outcome.auc / folds;
  }
  return mean;
}

}  // namespace

TEST_CASE("split at random a network looks nearly perfect, split by case it does not") {
  double by_image = 0, by_case = 0, auc = 0;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    DemoOptions options;
    options.seed = seed;
    const auto set = test::draw_demo_set(options, side);
    by_image += train_folds(set, "image", seed).accuracy / seeds;
    const auto honest = train_folds(set, "case", seed);
    by_case += honest.accuracy / seeds;
    auc += honest.auc / seeds;
  }
  WARN("accuracy by image " << by_image << ", by case " << by_case << ", AUC by case " << auc);
  CHECK(by_image >= 0.95);
  CHECK(by_case <= by_image - 0.10);
  CHECK(auc > 0.9);
}
