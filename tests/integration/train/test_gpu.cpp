// What only a GPU can show: kernels and CUDA graphs against the CPU and against eager steps.
// Deterministic algorithms throughout, so that equal means bit for bit.
#include <torch/types.h>

#include "base/philox.h"
#include "bcx/sdk/augmentation.h"
#include "tests/catch.h"
#include "tests/integration/train/step_rig.h"
#include "train/cuda_services.h"
#include "train/device.h"
#include "train/pixels.h"

using namespace bcx;
using namespace bcx::train;
using bcx::test::Rig;

namespace {

/// cuda, or the CPU where there is none.
at::Device the_gpu() {
  apply_process_settings({.threads = 0, .deterministic = true});
  return resolve_device("auto");
}

#define BCX_NEEDS_GPU(device) \
  if ((device).is_cpu()) BCX_SKIP("there is no GPU")

/// Reads a number of the device on the host, which waits for it.
struct Waiting : test::TinyBackbone {
  Waiting() : TinyBackbone(true) {}
  sdk::Features forward(const at::Tensor& images, sdk::ModelContext& context) override {
    auto features = TinyBackbone::forward(images, context);
    if (features.map.sum().item<double>() > 1e30) throw std::runtime_error("too large");
    return features;
  }
};

/// Takes a number of the host into its arithmetic, another one at each step.
struct Counting : test::TinyBackbone {
  Counting() : TinyBackbone(true) {}
  sdk::Features forward(const at::Tensor& images, sdk::ModelContext& context) override {
    return TinyBackbone::forward(images * (1.0 + 0.5 * static_cast<double>(*steps)), context);
  }
  std::shared_ptr<std::int64_t> steps = std::make_shared<std::int64_t>(0);
};

}  // namespace

TEST_CASE("weights rounded once a step train to the same bytes as autocast on a GPU") {
  const auto device = the_gpu();
  BCX_NEEDS_GPU(device);
  StepSettings settings;
  settings.precision = Precision::bf16;
  Rig autocast(device, settings);
  settings.round_weights_once = true;
  Rig once(device, settings);
  for (auto* rig : {&autocast, &once}) rig->run(4, {6});
  check_same_bytes(once, autocast);
}

TEST_CASE("gathering on the GPU gives the CPU's pixels") {
  const auto device = the_gpu();
  BCX_NEEDS_GPU(device);
  CAPTURE(cuda_services().gather != nullptr);
  const std::int64_t size = GENERATE(10, 12);
  const bool warped = GENERATE(true, false);
  std::vector<std::uint8_t> bytes(5 * 12 * 12 * 3);
  const Stream stream(7, "pixels");
  for (std::size_t i = 0; i < bytes.size(); ++i)
    bytes[i] = static_cast<std::uint8_t>(stream.word(i));
  const data::PixelView view{bytes.data(), 5, 12, 12};
  const std::vector<std::int64_t> indexes{4, 0, 2, 2};
  at::Tensor inverse;
  if (warped) {
    sdk::Affine affine(4, size, size, at::kCPU);
    affine.rotate(at::tensor({10.0f, -33.3f, 180.0f, 0.0f}));
    affine.translate(at::tensor({0.1f, 0.0f, -0.2f, 0.5f}), at::tensor({0.0f, 0.2f, 0.0f, 0.5f}));
    inverse = affine.inverse();
  }
  const auto transform = ChannelTransform::normalise({0.4, 0.5, 0.6}, {0.2, 0.3, 0.25});
  const auto expected = ResidentImages(view, at::kCPU).gather(indexes, inverse, size, transform);
  const auto got = ResidentImages(view, device)
                       .gather(indexes, warped ? inverse.to(device) : inverse, size, transform);
  CHECK(got.is_contiguous(at::MemoryFormat::ChannelsLast));
  // Positions are float32, and a GPU rounds a multiply-add once: 1e-5 of a pixel, times a contrast
  // of 1 / 0.2 in both directions.
  CHECK((got.to(at::kCPU) - expected).abs().max().item<double>() < 3e-4);
  if (!warped && size == 12) CHECK((got.to(at::kCPU) - expected).abs().max().item<double>() < 1e-6);
}

TEST_CASE("steps replayed as a CUDA graph leave the bytes of eager ones") {
  const auto device = the_gpu();
  BCX_NEEDS_GPU(device);
  const auto precision = GENERATE(Precision::fp32, Precision::bf16, Precision::fp16);
  const bool undo = GENERATE(false, true);
  CAPTURE(name_of(precision), undo);
  Rig plain(device, {.precision = precision, .clip_norm = 1.0, .undo_skipped = undo});
  Rig replayed(device, {.precision = precision,
                        .clip_norm = 1.0,
                        .undo_skipped = undo,
                        .record = work_recorder(device)});
  for (auto* rig : {&plain, &replayed}) {
    rig->run(8, {8});
    rig->run({5});
    rig->run(4, {8});
  }
  CAPTURE(replayed.step->take_note());
  CHECK(replayed.step->recorder().replayed() == 7);
  for (auto* rig : {&plain, &replayed}) rig->run(8, {6, 6, 4});
  CAPTURE(replayed.step->take_note());
  CHECK(replayed.step->recorder().replayed() == 7 + 3);
  for (auto* rig : {&plain, &replayed}) {
    const std::vector<std::string> convolution = {"backbone.conv.*"};
    rig->step->set_frozen(convolution);
    rig->run(8, {8});
  }
  CAPTURE(replayed.step->take_note());
  CHECK(replayed.step->recorder().replayed() == 7 + 3 + 3);
  test::check_same_bytes(plain, replayed);
}

TEST_CASE("a network that waits for the GPU is trained without a graph") {
  const auto device = the_gpu();
  BCX_NEEDS_GPU(device);
  Rig plain(device, {}, std::make_shared<Waiting>());
  Rig replayed(device, {.record = work_recorder(device)}, std::make_shared<Waiting>());
  for (auto* rig : {&plain, &replayed}) rig->run(8, {8});
  CHECK(replayed.step->recorder().replayed() == 0);
  const auto note = replayed.step->take_note();
  INFO(note);
  CHECK(
      note.starts_with("no CUDA graph, each operation is launched by itself: the step cannot be "
                       "recorded: "));
  test::check_same_bytes(plain, replayed);
  // Another run in the same process may still record.
  Rig next(device, {.record = work_recorder(device)});
  next.run(8, {8});
  CHECK(next.step->recorder().replayed() == 3);
}

TEST_CASE("a network with a number of the host in its arithmetic is trained without a graph") {
  const auto device = the_gpu();
  BCX_NEEDS_GPU(device);
  const auto one = std::make_shared<Counting>(), other = std::make_shared<Counting>();
  Rig plain(device, {}, one);
  Rig replayed(device, {.record = work_recorder(device)}, other);
  for (int i = 0; i < 8; ++i) {
    *one->steps = *other->steps = i;
    plain.run({8});
    replayed.run({8});
  }
  CHECK(replayed.step->recorder().replayed() == 0);
  CHECK(replayed.step->take_note().starts_with(
      "no CUDA graph, each operation is launched by itself: replayed, a step comes out otherwise: "
      "loss is "));
  test::check_same_bytes(plain, replayed);
}
