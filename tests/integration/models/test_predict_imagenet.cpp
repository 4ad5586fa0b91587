// `bcx predict --imagenet` as a user runs it, against torchvision's SqueezeNet 1.1 on the same
// weights and picture (published_input.json).
#include <fstream>
#include <map>

#include "data/images.h"
#include "pattern.h"
#include "tests/workplace.h"

using namespace bcx;
namespace fs = std::filesystem;

namespace {

struct Workplace : test::Workplace {
  Workplace() { data::write_png(path() / "pattern.png", test::pattern(300, 400).view()); }

  test::Outcome predict(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {"predict", "--imagenet"});
    return bcx(arguments);
  }
};

std::string squeezenet_weights() {
  return (test::shared_dir() / "data/weights/squeezenet1_1_imagenet.safetensors").string();
}

}  // namespace

TEST_CASE("predict --imagenet says what torchvision says") {
  BCX_NEEDS_SHARED("data/weights/squeezenet1_1_imagenet.safetensors");
  const Workplace here;
  const auto json = here.predict({"pattern.png", "--backbone", "squeezenet1_1", "--weights",
                                  squeezenet_weights(), "--device", "cpu", "--json"});
  INFO(json.err);
  REQUIRE(json.code == 0);
  const auto said = nlohmann::json::parse(json.out);
  REQUIRE(said.size() == 1);
  CHECK(said[0]["picture"] == "pattern.png");
  std::ifstream file(test::source_dir() / "tests/integration/models/published_input.json");
  const auto expected = nlohmann::json::parse(file)["squeezenet1_1"];
  REQUIRE(said[0]["classes"].size() == 5);
  for (std::size_t i = 0; i < 5; ++i) {
    const auto& got = said[0]["classes"][i];
    CHECK(got["index"] == expected[i]["index"]);
    CHECK(got["name"] == expected[i]["name"]);
    CHECK(got["probability"].get<double>() ==
          Approx(expected[i]["probability"].get<double>()).margin(5e-3));
  }

  const auto text = here.predict({"pattern.png", "--backbone", "squeezenet1_1", "--weights",
                                  squeezenet_weights(), "--device", "cpu", "--top", "1"});
  CHECK(text.code == 0);
  CHECK(text.out.starts_with("pattern.png\n   22."));
  CHECK(text.out.ends_with(" %  window shade\n"));
}

TEST_CASE("predict --imagenet takes a folder, and goes on after what is no picture") {
  BCX_NEEDS_SHARED("data/weights/squeezenet1_1_imagenet.safetensors");
  const Workplace here;
  fs::create_directory(here.path() / "pictures");
  std::ofstream(here.path() / "pictures/a.png") << "text";
  std::ofstream(here.path() / "pictures/notes.txt") << "text";
  fs::copy(here.path() / "pattern.png", here.path() / "pictures/b.png");
  const auto said = here.predict({"pictures", "--backbone", "squeezenet1_1", "--weights",
                                  squeezenet_weights(), "--device", "cpu", "--top", "1"});
  CHECK(said.code == 3);
  CHECK(said.out.starts_with("pictures/b.png\n"));
  CHECK(said.err.starts_with("error: pictures/a.png: "));
  CHECK(said.err.find("notes.txt") == std::string::npos);
}

TEST_CASE("what stands in the way of predict --imagenet is said") {
  const Workplace here;
  const auto refusal = [&](std::vector<std::string> arguments, int code) {
    const auto outcome = here.predict(std::move(arguments));
    CHECK(outcome.code == code);
    CHECK(outcome.out.empty());
    return outcome.err;
  };
  CHECK(refusal({"pattern.png"}, 3) ==
        "error: the ImageNet weights of \"tf_efficientnet_lite0\" are not on this machine; fetch "
        "them with `bcx weights fetch tf_efficientnet_lite0`, or name a .safetensors file with "
        "--weights\n");
  CHECK(refusal({"pattern.png", "--backbone", "mynet"}, 3) ==
        "error: --backbone: bcx knows no ImageNet weights for the backbone \"mynet\"; name a "
        ".safetensors file with --weights\n");
  CHECK(refusal({"pattern.png", "--weights", "nowhere"}, 3) ==
        "error: nowhere: no such weights file; --weights is `imagenet` or a .safetensors file's "
        "path\n");
  CHECK(refusal({"pattern.png", "--backbone", "squeezenet1_2", "--weights", "pattern.png"}, 2) ==
        "error: no plugin offers a backbone \"squeezenet1_2\"; did you mean \"squeezenet1_1\"?\n");
  fs::create_directory(here.path() / "empty");
  BCX_NEEDS_SHARED("data/weights/squeezenet1_1_imagenet.safetensors");
  CHECK(refusal({"empty", "--backbone", "squeezenet1_1", "--weights", squeezenet_weights()}, 3) ==
        "error: empty: there is no picture in this folder; name pictures (PNG, JPEG, TIFF, BMP)\n");
}

TEST_CASE("plugins list says how large backbones are and whether their weights are here") {
  const Workplace here;
  const auto listed = [&] {
    const auto outcome = here.bcx({"plugins", "list", "--kind", "backbone", "--json"});
    REQUIRE(outcome.code == 0);
    std::map<std::string, std::string> states;
    const auto answer = nlohmann::json::parse(outcome.out);
    for (const auto& one : answer.at("components")) {
      INFO(one["name"]);
      CHECK(one["facts"]["parameters"] > 0);
      CHECK(one["facts"]["gmacs_224"] > 0.0);
      states[one["name"]] = one["facts"]["weights_state"];
    }
    return states;
  };
  auto states = listed();
  CHECK(states.size() >= 29);
  for (const auto& [name, state] : states) {
    INFO(name);
    CHECK(state == "to fetch");
  }
  fs::create_directories(here.path() / "cache/bcx/weights");
  std::ofstream(here.path() / "cache/bcx/weights/swin_t.safetensors") << "x";
  states = listed();
  CHECK(states["swin_t"] == "here");
  CHECK(states["vit_b_16"] == "to fetch");
  const auto table = here.bcx({"plugins", "list", "--kind", "backbone"}).out;
  CHECK(table.find("parameters  GMACs at 224  weights ") != std::string::npos);
  CHECK(table.find(" 85.80 M         17.56  to fetch ") != std::string::npos);
}
