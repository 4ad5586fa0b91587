// Grad-CAM against what it is by hand, in float64.

#include "base/error.h"
#include "model/grad_cam.h"
#include "tests/catch.h"
#include "tiny_backbone.h"

using namespace bcx;

namespace {

config::HeadConfig plain_head(const std::string& pool) {
  config::HeadConfig head;
  head.pool = pool;
  head.dropout = 0.0;
  head.batch_norm = false;
  return head;
}

/// relu(conv(images)), as TinyBackbone computes it.
at::Tensor activations(const sdk::Backbone& backbone, const at::Tensor& images) {
  const auto parameters = backbone.named_parameters();
  return at::conv2d(images, parameters["conv.weight"], parameters["conv.bias"], 1, 1).relu();
}

/// A backbone whose logits are not made of the map alone.
class PooledBackbone : public test::TinyBackbone {
 public:
  PooledBackbone(bool of_map) : TinyBackbone(false), of_map_(of_map) {}
  sdk::Features forward(const at::Tensor& images, sdk::ModelContext& context) override {
    auto features = TinyBackbone::forward(images, context);
    // Of the map: what the head's mean would be. Else of the pixels, past the map.
    features.pooled = of_map_ ? features.map.mean({2, 3}) : images.mean({2, 3}).repeat({1, 2});
    return features;
  }

 private:
  bool of_map_;
};

}  // namespace

TEST_CASE("maps are the feature map weighted by the mean gradient of the class") {
  torch::manual_seed(3);
  auto backbone = std::make_shared<test::TinyBackbone>(false);
  for (const std::string pool : {"average", "max"}) {
    model::Classifier classifier(backbone, plain_head(pool), 3);
    classifier.to(at::kDouble);
    const auto images = torch::randn({4, 3, 9, 7}, at::kDouble);
    const std::vector<std::int64_t> targets{2, 0, 1, 2};
    sdk::ModelContext context;
    model::GradCam cam(classifier, images, context);
    const auto maps = cam.maps(targets);

    torch::NoGradGuard no_grad;
    // Mean and maximum over h x w cells both hand a total of W[c, k] back to channel k.
    const auto a = activations(*backbone, images);
    const auto weight = classifier.named_parameters()["head.linear.weight"];
    REQUIRE(maps.sizes() == at::IntArrayRef({4, 9, 7}));
    for (std::int64_t n = 0; n < 4; ++n) {
      auto expected = at::zeros({9, 7}, at::kDouble);
      for (std::int64_t k = 0; k < 6; ++k)
        expected += a[n][k] * weight[targets[static_cast<std::size_t>(n)]][k] / (9.0 * 7.0);
      expected = expected.clamp_min(0);
      CHECK((maps[n] - expected).abs().max().item<double>() < 1e-15);
      CHECK(expected.max().item<double>() > 0);
    }
    const auto logits = classifier.forward(images, context);
    CHECK(at::equal(cam.logits(), logits));
  }
}

TEST_CASE("a map lies where the evidence is, and only for the class that it speaks for") {
  auto backbone = std::make_shared<test::TinyBackbone>(false);
  model::Classifier classifier(backbone, plain_head("average"), 2);
  {
    torch::NoGradGuard no_grad;
    for (auto& parameter : classifier.parameters()) parameter.zero_();
    // Channel 0 is the red of the pixel itself; class 1 is for it, class 0 against.
    backbone->named_parameters()["conv.weight"].index_put_({0, 0, 1, 1}, 1.0);
    auto weight = classifier.named_parameters()["head.linear.weight"];
    weight.index_put_({1, 0}, 1.0);
    weight.index_put_({0, 0}, -1.0);
  }
  auto images = torch::zeros({1, 3, 16, 16});
  images.index_put_({0, 0, torch::indexing::Slice(8, 12), torch::indexing::Slice(4, 8)}, 1.0);
  images.index_put_({0, 2, torch::indexing::Slice(0, 4), torch::indexing::Slice(0, 4)}, 1.0);
  sdk::ModelContext context;
  model::GradCam cam(classifier, images, context);
  const auto map = cam.maps(std::vector<std::int64_t>{1})[0];
  auto outside = map.clone();
  outside.index_put_({torch::indexing::Slice(8, 12), torch::indexing::Slice(4, 8)}, 0.0);
  CHECK(outside.max().item<float>() == 0.0f);
  CHECK(map.index({10, 5}).item<float>() > 0.0f);
  CHECK(cam.maps(std::vector<std::int64_t>{0}).max().item<float>() == 0.0f);
}

TEST_CASE("a head on the network's own pooling has maps when that is made of the map") {
  torch::manual_seed(4);
  const auto images = torch::randn({2, 3, 8, 8});
  sdk::ModelContext context;
  const std::vector<std::int64_t> targets{1, 1};
  auto backbone = std::make_shared<PooledBackbone>(true);
  model::Classifier own(backbone, plain_head("default"), 2);
  model::GradCam of_pooled(own, images, context);
  const auto maps = of_pooled.maps(targets);

  torch::NoGradGuard no_grad;
  const auto weight = own.named_parameters()["head.linear.weight"][1];
  const auto expected =
      (activations(*backbone, images) * weight.view({1, 6, 1, 1}) / 64.0).sum(1).clamp_min(0);
  CHECK(at::allclose(maps, expected, 1e-5, 1e-7));
}

TEST_CASE("a head that does not use the map is an error that says what to do") {
  sdk::ModelContext context;
  model::Classifier classifier(std::make_shared<PooledBackbone>(false), plain_head("default"), 2);
  model::GradCam cam(classifier, torch::randn({1, 3, 8, 8}), context);
  std::string said;
  try {
    cam.maps(std::vector<std::int64_t>{0});
  } catch (const Error& error) {
    said = error.what();
    CHECK(error.code() == ExitCode::usage);
  }
  CHECK(said ==
        "model.head.pool: Grad-CAM needs logits that come from the feature map, and this model "
        "takes them from elsewhere; train with model.head.pool = \"average\"");
}
