// Every augmentation of the tree, through the host's pipeline: the same uniform numbers make the
// same picture on any number of threads and in any batch; inputs stay as they are; results have the
// right shape and range.
#include <ATen/Parallel.h>

#include <algorithm>

#include "augmentation_fixture.h"
#include "plugin/catalog.h"
#include "train/input.h"

namespace {

using bcx::sdk::Augmentation;
using bcx::test::Values;
using Indexes = std::vector<std::int64_t>;

constexpr std::int64_t count = 12, cached = 80, size = 72;

const bcx::plugin::PluginCatalog& catalog() {
  static const auto made = [] {
    bcx::plugin::Search search;
    search.environment = search.user = false;
    search.built_in = bcx::test::build_dir() / "lib/bcx/plugins";
    return bcx::plugin::PluginCatalog(search);
  }();
  return made;
}

/// Defaults, and something to do where the default is nothing.
Values values_of(const bcx::config::ComponentSpec& spec) {
  Values values;
  for (const auto& param : spec.params) values[param.name] = param.default_value.value();
  if (spec.name == "color_jitter")
    for (auto& [name, value] : values) value = 0.4;
  if (values.contains("probability")) values["probability"] = 0.8;
  return values;
}

std::unique_ptr<Augmentation> make(const std::string& name) {
  const auto* spec = catalog().find(bcx::config::ComponentKind::augmentation, name);
  return bcx::test::augmentation(name, values_of(*spec), spec->plugin);
}

/// Smooth in places, noisy in others; with black, white and grey.
const std::vector<std::uint8_t>& pixels() {
  static const auto made = [] {
    auto x = at::arange(count * cached * cached * 3, at::kDouble);
    x = ((x / 700).sin() * 0.4 + (x * 12.9898).sin() * 0.1 + 0.5).mul(255).to(at::kByte);
    x = x.view({count, cached, cached, 3});
    x.narrow(1, 0, 10).narrow(2, 0, 10).fill_(0);
    x.narrow(1, 0, 10).narrow(2, 10, 10).fill_(255);
    x.narrow(1, 0, 10).narrow(2, 20, 10).fill_(128);
    const auto* data = x.const_data_ptr<std::uint8_t>();
    return std::vector<std::uint8_t>(data, data + x.numel());
  }();
  return made;
}

/// With a normalisation that changes nothing: results are colours from 0 to 1.
bcx::train::InputPipeline pipeline(const std::vector<std::string>& names) {
  const bcx::data::PixelView view{pixels().data(), count, cached, cached};
  bcx::train::SampleInfo samples;
  for (std::int64_t i = 0; i < count; ++i) {
    samples.ids.push_back(static_cast<std::uint64_t>(i) * 7919 + 5);
    samples.labels.push_back(i % 2);
  }
  std::vector<bcx::train::NamedAugmentation> augmentations;
  for (const auto& name : names)
    augmentations.push_back(
        {name, make(name),
         bcx::plugin::CallSite(*catalog().find(bcx::config::ComponentKind::augmentation, name))});
  return {bcx::train::ResidentImages(view, at::kCPU),
          std::move(samples),
          std::move(augmentations),
          {.mean = {0, 0, 0}, .std = {1, 1, 1}},
          size,
          2,
          42};
}

Indexes all() {
  Indexes indexes(count);
  std::iota(indexes.begin(), indexes.end(), 0);
  return indexes;
}

void check_pipeline(const std::vector<std::string>& names, bool mixes) {
  const int usual = at::get_num_threads();
  at::set_num_threads(1);
  const auto input = pipeline(names);
  const auto expected = input.training(all(), {}, 3);
  CHECK(expected.images.sizes() == at::IntArrayRef({count, 3, size, size}));
  CHECK_FALSE(expected.images.isnan().any().item<bool>());
  CHECK(expected.images.min().item<double>() >= 0.0);
  CHECK(expected.images.max().item<double>() <= 1.0);
  CHECK(at::allclose(expected.targets.sum(1), at::ones({count})));
  CHECK_FALSE(at::equal(expected.images, input.training(all(), {}, 4).images));
  CHECK_FALSE(at::equal(expected.images, input.evaluation(all())));
  for (const int threads : {1, 2, 3}) {
    INFO(threads << " threads");
    at::set_num_threads(threads);
    CHECK(at::equal(input.training(all(), {}, 3).images, expected.images));
    if (mixes) continue;  // a mixture's partner is another in another batch
    for (const Indexes& batch : {Indexes{7}, Indexes{3, 11, 0}, Indexes{5, 4, 3, 2, 1}}) {
      INFO("batch of " << batch.size());
      const auto part = input.training(batch, {}, 3).images;
      for (std::size_t i = 0; i < batch.size(); ++i)
        CHECK(at::equal(part[static_cast<std::int64_t>(i)], expected.images[batch[i]]));
    }
  }
  at::set_num_threads(usual);
}

std::vector<std::string> names() {
  return catalog().names(bcx::config::ComponentKind::augmentation);
}

}  // namespace

TEST_CASE("the same numbers make the same picture on any threads and in any batch") {
  REQUIRE(names().size() >= 18);
  for (const auto& name : names()) {
    INFO(name);
    const unsigned able = make(name)->capabilities();
    CHECK(able != 0);
    check_pipeline({name}, able & Augmentation::mixes);
  }
}

TEST_CASE("all augmentations together do so too") {
  std::vector<std::string> pure = names();
  std::erase_if(pure, [](const std::string& name) { return name == "mixup" || name == "cutmix"; });
  check_pipeline(pure, false);
}

TEST_CASE("inputs stay as they are, in either memory layout") {
  const auto picture = at::from_blob(const_cast<std::uint8_t*>(pixels().data()),
                                     {count, cached, cached, 3}, at::kByte);
  const auto last = picture.permute({0, 3, 1, 2}).to(at::kFloat) / 255;
  for (const auto& name : names()) {
    INFO(name);
    const auto made = make(name);
    for (const auto& images : {last, last.contiguous()}) {
      const auto before = images.clone();
      const bcx::sdk::Batch given{images, at::eye(count, at::kFloat)};
      auto numbers = bcx::test::draws(bcx::test::samples(count));
      if (made->capabilities() & Augmentation::applies) {
        const auto result = made->apply(images, numbers);
        CHECK(result.sizes() == images.sizes());
        CHECK(result.scalar_type() == at::kFloat);
      }
      if (made->capabilities() & Augmentation::mixes) {
        auto batch = given;
        made->mix(batch, numbers);
        CHECK(at::equal(given.targets, at::eye(count, at::kFloat)));
      }
      CHECK(at::equal(images, before));
    }
  }
}
