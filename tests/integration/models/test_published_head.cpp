// model.head.kind = "published" in an experiment: ImageNet's classes or a refusal.
#include <fmt/format.h>

#include "data/images.h"
#include "tests/workplace.h"

using namespace bcx;
namespace fs = std::filesystem;

namespace {

/// A data set of `classes` folders n00000000, ..., each with two pictures of noise, and an
/// experiment on it with SqueezeNet 1.1 and its published classifier.
class Workplace : public test::Workplace {
 public:
  explicit Workplace(int classes) {
    for (int c = 0; c < classes; ++c) {
      const auto folder = path() / fmt::format("data/n{:08}", c);
      fs::create_directories(folder);
      for (std::uint32_t i = 0; i < 2; ++i)
        data::write_png(folder / fmt::format("{}.png", i), noise(c, i).view());
    }
    write("published.toml", R"(
[data]
source = "folders"
root = "data"
image_size = 17
[data.split]
by = "image"
validation = 0.5
test = 0.0
[model]
backbone = "squeezenet1_1"
weights = "none"
[model.head]
kind = "published"
[optimizer]
name = "sgd"
learning_rate = 1e-3
[train]
epochs = 1
batch_size = 64
device = "cpu"
precision = "fp32"
)");
  }

 private:
  static data::Image noise(int c, std::uint32_t i) {
    data::Image image(17, 17);
    std::uint64_t state = static_cast<std::uint64_t>(c) * 2 + i + 1;
    for (auto& value : image.rgb) {
      state = state * 6364136223846793005 + 1442695040888963407;
      value = static_cast<std::uint8_t>(state >> 56);
    }
    return image;
  }
};

}  // namespace

TEST_CASE("the published classifier refuses data with other classes") {
  const Workplace here(2);
  const auto run = here.bcx({"run", "published.toml"});
  CHECK(run.code == 2);
  INFO(run.err);
  CHECK(run.err.find("error: model.head.kind: the published classifier knows ImageNet's 1,000 "
                     "classes, the data have 2; use \"new\"\n") != std::string::npos);
}

TEST_CASE("the published classifier trains on data with its thousand classes") {
  BCX_NEEDS_SHARED("data/weights/squeezenet1_1_imagenet.safetensors");
  const Workplace here(1000);
  const auto weights = test::shared_dir() / "data/weights/squeezenet1_1_imagenet.safetensors";
  const auto run =
      here.bcx({"run", "published.toml", "--set", "model.weights=" + weights.string()});
  INFO(run.err);
  INFO(run.out);
  CHECK(run.code == 0);
  // 722,496 of the backbone, 513,000 of the classifier.
  CHECK((run.out + run.err).find("squeezenet1_1: 1,235,496 parameters") != std::string::npos);
}
