#include "weights/resolve.h"

#include <cstdlib>
#include <regex>

#include "base/error.h"
#include "raw_file.h"
#include "tests/catch.h"

using namespace bcx;
using namespace bcx::test;
using namespace bcx::weights;

namespace {

/// A cache of its own for the length of a test.
class OwnCache {
 public:
  OwnCache() { setenv("XDG_CACHE_HOME", folder_.path().c_str(), 1); }
  ~OwnCache() { unsetenv("XDG_CACHE_HOME"); }

 private:
  TemporaryFolder folder_;
};

std::string refusal(std::string_view weights, std::string_view backbone) {
  try {
    resolve_weights(weights, backbone, false);
    return {};
  } catch (const Error& error) {
    CHECK(error.code() == ExitCode::data);
    return error.what();
  }
}

}  // namespace

TEST_CASE("the index is complete and consistent") {
  CHECK(weights_index().size() == 29);
  const std::regex hex("[0-9a-f]{8}|[0-9a-f]{10}|[0-9a-f]{64}");
  for (const auto& entry : weights_index()) {
    INFO(entry.name);
    CHECK(find_weights(entry.name) == &entry);
    CHECK(entry.package.empty() != entry.url.empty());
    CHECK((entry.url.empty() || entry.url.starts_with("https://")));
    CHECK(std::regex_match(entry.sha256, hex));
    CHECK(entry.size > 1'000'000);
    CHECK((entry.licence == "Apache-2.0" || entry.licence == "BSD-3-Clause"));
    // torchvision puts the sum's first digits into the file's name.
    if (entry.prefix_only()) CHECK(entry.url.ends_with("-" + entry.sha256 + ".pth"));
    CHECK(entry.tried == !entry.prefix_only());
    CHECK(entry.input.crop >= 224);
    CHECK(entry.input.resize >= entry.input.crop);
    CHECK((entry.input.interpolation == "bilinear" || entry.input.interpolation == "bicubic"));
  }
  CHECK(find_weights("densenet20") == nullptr);
}

TEST_CASE("none, a path, and what is in the cache") {
  const OwnCache cache;
  const TemporaryFolder folder;
  CHECK(resolve_weights("none", "resnet18", false).empty());
  write_raw(folder / "w.safetensors", "x");
  CHECK(resolve_weights((folder / "w.safetensors").string(), "resnet18", false) ==
        folder / "w.safetensors");
  CHECK_FALSE(is_cached("resnet18"));
  std::filesystem::create_directories(cached_path("resnet18").parent_path());
  write_raw(cached_path("resnet18"), "x");
  CHECK(is_cached("resnet18"));
  CHECK(resolve_weights("imagenet", "resnet18", false) == cached_path("resnet18"));
}

TEST_CASE("weights that are not there are an error with three remedies") {
  const OwnCache cache;
  CHECK(refusal("imagenet", "densenet201") ==
        "model.weights: the ImageNet weights of \"densenet201\" are not on this machine; fetch "
        "them with "
        "`bcx weights fetch densenet201`, name a .safetensors file (model.weights = \"PATH\"), or "
        "start from "
        "random weights (model.weights = \"none\")");
  CHECK(refusal("imagenet", "mynet") ==
        "model.weights: bcx knows no ImageNet weights for the backbone \"mynet\"; name a "
        ".safetensors file "
        "(model.weights = \"PATH\"), or start from random weights (model.weights = \"none\")");
  CHECK(refusal("/nowhere/w.safetensors", "resnet18") ==
        "/nowhere/w.safetensors: no such weights file; model.weights is `none`, `imagenet`, or a "
        ".safetensors "
        "file's path");
}

TEST_CASE("a fetch that fails says why, gives the remedies, and leaves nothing") {
  const OwnCache cache;
  // No python3 is found in an empty PATH.
  const std::string path = std::getenv("PATH");
  setenv("PATH", "/nonexistent", 1);
  std::string message;
  try {
    resolve_weights("imagenet", "tf_efficientnet_lite0", true);
  } catch (const Error& error) {
    message = error.what();
  }
  setenv("PATH", path.c_str(), 1);
  CHECK(message ==
        "model.weights: the ImageNet weights of \"tf_efficientnet_lite0\" could not be fetched: "
        "python3 could not "
        "be started; fetch them with `bcx weights fetch tf_efficientnet_lite0`, name a "
        ".safetensors file "
        "(model.weights = \"PATH\"), or start from random weights (model.weights = \"none\")");
  CHECK_FALSE(is_cached("tf_efficientnet_lite0"));
  CHECK_FALSE(std::filesystem::exists(cached_path("x").parent_path() / ".fetch"));
}
