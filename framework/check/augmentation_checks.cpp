// What an augmentation owes its host (bcx/sdk/augmentation.h).

#include "bcx/sdk/augmentation.h"

#include <ATen/Parallel.h>
#include <fmt/ranges.h>
#include <torch/utils.h>

#include "check/checks.h"
#include "check/parameters_check.h"
#include "check/tensors.h"

namespace bcx::check {
namespace {

using config::ComponentSpec;
using sdk::Affine;
using sdk::Augmentation;
using sdk::Draws;

constexpr std::int64_t height = 24, width = 40, classes = 3;
const std::vector<std::uint64_t> some_ids{3, 1'000'000'007, 12, 5, 77, 6};

at::Tensor pictures(std::int64_t n) {
  auto x = at::rand({n, 3, height, width}, generator(7));
  x[0].zero_();  // black and white are pictures too
  if (n > 1) x[1].fill_(1.0);
  return x.contiguous(at::MemoryFormat::ChannelsLast);
}

at::Tensor one_hot(std::int64_t n) {
  return at::eye(classes).index_select(0, at::arange(n, at::kLong).remainder(classes));
}

/// What one batch becomes.
struct Outcome {
  at::Tensor matrices, images, mixed, targets;
};

bool same(const Outcome& x, const Outcome& y) {
  return same_bits(x.matrices, y.matrices) && same_bits(x.images, y.images) &&
         same_bits(x.mixed, y.mixed) && same_bits(x.targets, y.targets);
}

void require_matrices(const at::Tensor& matrices, std::int64_t n) {
  require(
      matrices.sizes() == at::IntArrayRef({n, 2, 3}),
      fmt::format("compose() left matrices of {}, expected [{}, 2, 3]", shape_text(matrices), n));
  require(finite(matrices), "compose() left a matrix that is not finite");
}

void require_images(const char* who, const at::Tensor& x, const at::Tensor& like) {
  require(x.defined() && x.sizes() == like.sizes(),
          fmt::format("{} made {} of {}", who, shape_text(x), shape_text(like)),
          "the result has the shape of the input");
  require(x.scalar_type() == at::kFloat,
          fmt::format("{} made {} of float32 images", who, c10::toString(x.scalar_type())));
  require(finite(x), fmt::format("{} made a pixel that is not finite", who));
}

at::Tensor applied(const Augmentation& augmentation, const at::Tensor& images, Draws& draws) {
  const auto untouched = images.clone();
  auto result = augmentation.apply(images, draws);
  require(same_bits(images, untouched), "apply() changes its input", "work on a new tensor");
  require_images("apply()", result, images);
  const double low = result.min().item<double>(), high = result.max().item<double>();
  require(low >= 0.0 && high <= 1.0,
          fmt::format("apply() made pixels of {} to {}, expected [0, 1]", low, high),
          "clamp the result");
  return result;
}

void mix(const Augmentation& augmentation, Outcome& outcome, Draws& draws) {
  const auto n = draws.size();
  const auto images = pictures(n), targets = one_hot(n);
  sdk::Batch batch{images.clone(at::MemoryFormat::Preserve), targets.clone()};
  augmentation.mix(batch, draws);
  require_images("mix()", batch.images, images);
  require(
      batch.targets.defined() && batch.targets.sizes() == targets.sizes(),
      fmt::format("mix() made targets {} of {}", shape_text(batch.targets), shape_text(targets)));
  require(finite(batch.targets) && batch.targets.min().item<double>() >= 0.0 &&
              at::allclose(batch.targets.sum(1), at::ones({n}), 0.0, 1e-5),
          "mix() made targets whose rows do not sum to 1");
  outcome.mixed = batch.images;
  outcome.targets = batch.targets;
}

/// One batch through everything that the augmentation has.
Outcome outcome_of(const Augmentation& augmentation, const at::Tensor& images,
                   const std::vector<std::uint64_t>& ids, std::uint64_t epoch = 4) {
  const auto draws = [&] { return Draws(42, "augmentation.check", epoch, ids, at::kCPU); };
  const auto n = static_cast<std::int64_t>(ids.size());
  const unsigned has = augmentation.capabilities();
  Outcome outcome;
  if (has & Augmentation::composes) {
    auto d = draws();
    Affine affine(n, height, width, at::kCPU);
    augmentation.compose(d, affine);
    outcome.matrices = affine.inverse();
    require_matrices(outcome.matrices, n);
  }
  if (has & Augmentation::applies) {
    auto d = draws();
    outcome.images = applied(augmentation, images, d);
  }
  if (has & Augmentation::mixes) {
    auto d = draws();
    mix(augmentation, outcome, d);
  }
  return outcome;
}

Outcome usual(const Augmentation& augmentation, std::uint64_t epoch = 4) {
  return outcome_of(augmentation, pictures(6), some_ids, epoch);
}

std::string parameters(const ComponentSpec& spec) {
  return check_parameters<Augmentation>(
      spec, [](const Augmentation& augmentation) { usual(augmentation); });
}

std::string pixels(const ComponentSpec& spec) {
  const auto augmentation = build<Augmentation>(spec);
  const unsigned has = augmentation->capabilities();
  constexpr unsigned all = Augmentation::composes | Augmentation::applies | Augmentation::mixes;
  require(has != 0 && (has & ~all) == 0, fmt::format("capabilities() is {}", has),
          "say composes, applies, mixes, or some of them with |");
  for (std::uint64_t epoch = 0; epoch < 8; ++epoch) usual(*augmentation, epoch);
  std::vector<const char*> words;
  if (has & Augmentation::composes) words.push_back("finite matrices");
  if (has & Augmentation::applies) words.push_back("images of the same shape in [0, 1]");
  if (has & Augmentation::mixes) words.push_back("mixed images whose targets sum to 1");
  return fmt::format("{}", fmt::join(words, ", "));
}

std::string draws(const ComponentSpec& spec) {
  for_each_variation<Augmentation>(spec, [&](const Augmentation& augmentation) {
    const auto before = default_generator_state();
    const auto first = usual(augmentation);
    usual(augmentation, 5);  // nothing of another batch may stay behind
    require(same(first, usual(augmentation)), "the same draws give another result",
            "an augmentation is a pure function of images and draws");
    require_untouched_generator(before, "draw from Draws alone");
  });
  require(same(usual(*build<Augmentation>(spec)), usual(*build<Augmentation>(spec))),
          "another object gives another result of the same draws",
          "draw nothing in the constructor");
  return "decide the result";
}

std::string batches(const ComponentSpec& spec) {
  bool any = false;
  for_each_variation<Augmentation>(spec, [&](const Augmentation& augmentation) {
    const auto images = pictures(6);
    const auto whole = outcome_of(augmentation, images, some_ids);
    for (std::size_t i = 0; i < some_ids.size(); ++i) {
      const auto at = static_cast<std::int64_t>(i);
      const auto alone = outcome_of(augmentation, images.narrow(0, at, 1), {some_ids[i]});
      const auto equal = [&](const at::Tensor& all, const at::Tensor& one) {
        any = any || all.defined();
        return !all.defined() || same_bits(all.narrow(0, at, 1), one);
      };
      require(equal(whole.matrices, alone.matrices) && equal(whole.images, alone.images),
              "what happens to a picture depends on the others in its batch",
              "treat each sample alone, with its own row of draws.uniform()");
    }
  });
  return any ? "each picture alone gives the same bits" : "mixes pictures: they belong together";
}

std::string threads(const ComponentSpec& spec) {
  for_each_variation<Augmentation>(spec, [&](const Augmentation& augmentation) {
    at::set_num_threads(1);
    const auto one = usual(augmentation);
    at::set_num_threads(4);
    require(same(one, usual(augmentation)), "four threads give other bits than one",
            "sum in float64 or in integers, and keep products and sums apart");
  });
  return "four give the same bits as one";
}

std::string lifetime(const ComponentSpec& spec) {
  auto first = build<Augmentation>(spec), second = build<Augmentation>(spec);
  const auto outcome = usual(*first);
  first.reset();
  require(same(outcome, usual(*second)), "two objects have a hand in each other");
  second.reset();
  return "objects go before their results, and the process ends well";
}

}  // namespace

std::vector<Check> augmentation_checks(const ComponentSpec& spec) {
  const auto with = [&spec](std::string (*check)(const ComponentSpec&)) {
    return [&spec, check] {
      const torch::NoGradGuard no_grad;
      return check(spec);
    };
  };
  return {{"parameters", with(parameters)}, {"pixels", with(pixels)},
          {"draws", with(draws)},           {"batches", with(batches)},
          {"threads", with(threads)},       {"lifetime", with(lifetime), Ending::normal}};
}

}  // namespace bcx::check
