// Pictures prepared for published weights, against torchvision's own transform:
// published_input.json, made by make_published_input.py.
#include <torch/types.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "engine/imagenet.h"
#include "engine/imagenet_classes.h"
#include "pattern.h"
#include "tests/catch.h"

namespace bcx::test {

TEST_CASE("pictures are prepared as torchvision prepares them") {
  std::ifstream file(source_dir() / "tests/integration/models/published_input.json");
  const auto reference = nlohmann::json::parse(file);
  for (const auto& expected : reference["pictures"]) {
    const std::int64_t height = expected["height"], width = expected["width"];
    CAPTURE(height, width);
    const auto picture = pattern(height, width);
    const weights::PublishedInput input{expected["resize"], expected["crop"],
                                        expected["interpolation"]};
    const auto prepared = engine::published_input(picture.view(), input, {});
    REQUIRE(prepared.sizes() == at::IntArrayRef({1, 3, input.crop, input.crop}));
    const auto every = prepared[0][1]
                           .slice(0, 0, c10::nullopt, 16)
                           .slice(1, 0, c10::nullopt, 16)
                           .flatten()
                           .to(at::kDouble);
    const auto values = expected["values"].get<std::vector<double>>();
    const auto difference = (every - torch::tensor(values, at::kDouble)).abs().max().item<double>();
    // Pillow rounds after each of its two passes, in fixed point: one level of 255 either way.
    CHECK(difference < 1.01 / 255 / 0.224);
    CHECK(prepared.mean().item<double>() == Approx(expected["mean"].get<double>()).margin(1e-3));
    CHECK(prepared.norm().item<double>() == Approx(expected["l2"].get<double>()).epsilon(1e-3));
  }
}

TEST_CASE("a picture like a line is refused") {
  const data::Image line(10, 641);
  CHECK_THROWS_WITH(
      engine::published_input(line.view(), {}, {}),
      "the picture is 641 x 10 pixels: expected a longer side of at most 64 times the "
      "shorter one");
  const data::Image edge(10, 640);
  CHECK(engine::published_input(edge.view(), {}, {}).size(3) == 224);
}

TEST_CASE("there are a thousand classes") {
  const auto names = engine::imagenet_classes();
  REQUIRE(names.size() == 1000);
  CHECK(names[0] == "tench");
  CHECK(names[284] == "Siamese cat");
  CHECK(names[999] == "toilet tissue");
}

}  // namespace bcx::test
