// `bcx explain` as a user runs it.

#include <algorithm>

#include "data/images.h"
#include "workplace.h"

using namespace bcx;
namespace fs = std::filesystem;
using test::workplace;

namespace {

std::vector<tracker::ArtifactRow> explanations(const std::string& run) {
  auto rows = workplace().reader().artifacts(workplace().run(run).id);
  std::erase_if(rows, [](const auto& row) { return row.kind != "explain"; });
  return rows;
}

nlohmann::json sidecar(const fs::path& folder) {
  return nlohmann::json::parse(test::slurp(folder / "explain.json"));
}

}  // namespace

TEST_CASE("a gallery of the test images is written, recorded and replaced") {
  const auto& here = workplace();
  const auto done = here.need({"explain", "small", "--count", "2"});
  CHECK(done.out.find("mean rank correlation with maps of random last layers: ") !=
        std::string::npos);
  const auto run = here.run("small");
  const auto folder = here.path() / "runs" / run.folder / "explain/gallery";
  const auto json = sidecar(folder);
  CHECK(json.at("method") == "Grad-CAM");
  CHECK(json.at("layer") == "feature map of resnet18");
  CHECK(json.at("run") == run.id);
  CHECK(json.at("checkpoint") == "best.safetensors");
  CHECK(json.at("sanity").at("draws") == 10);
  const auto& maps = json.at("maps");
  REQUIRE(maps.size() >= 4);
  const auto stored = here.logits("small", "final");
  double sum = 0;
  int defined = 0;
  for (const auto& map : maps) {
    CHECK(stored.contains(map.at("name")));
    CHECK(map.at("sample").get<std::string>().size() == 16);
    const bool right = map.at("class") == map.at("target");
    for (const auto& gallery : map.at("galleries")) {
      if (gallery == "error") CHECK_FALSE(right);
      if (gallery.get<std::string>().starts_with("right")) CHECK(right);
    }
    const auto beside = data::read_image(folder / map.at("picture").get<std::string>());
    CHECK(beside.stored_width > 2 * 224);
    const auto alone = data::read_image(folder / map.at("file").get<std::string>());
    CHECK(alone.stored_width == 64);
    if (map.at("correlation").is_number()) {
      CHECK(std::abs(map.at("correlation").get<double>()) <= 1.0);
      sum += map.at("correlation").get<double>();
      ++defined;
    }
  }
  CHECK(json.at("sanity").at("maps") == defined);
  if (defined > 0)
    CHECK(json.at("sanity").at("correlation").get<double>() == Approx(sum / defined));

  const auto rows = explanations("small");
  CHECK(rows.size() == 2 * maps.size() + 1);
  for (const auto& row : rows)
    CHECK(static_cast<std::int64_t>(fs::file_size(here.path() / "runs" / row.path)) == row.bytes);

  here.need({"explain", "small", "--count", "1", "--quiet"});
  const auto fewer = explanations("small");
  CHECK(fewer.size() == 2 * sidecar(folder).at("maps").size() + 1);
  CHECK(fewer.size() < rows.size());
  const auto files = std::distance(fs::directory_iterator(folder), fs::directory_iterator());
  CHECK(static_cast<std::size_t>(files) == fewer.size());
  // The same again is the same bytes.
  const auto before = test::slurp(folder / "explain.json");
  here.need({"explain", "small", "--count", "1", "--quiet"});
  CHECK(test::slurp(folder / "explain.json") == before);
}

TEST_CASE("pictures that are named are explained, wherever the files shall go") {
  const auto& here = workplace();
  const auto whole = [&] {
    for (const auto& entry : fs::recursive_directory_iterator(here.path() / "demo"))
      if (entry.path().extension() == ".png") return entry.path();
    return fs::path();
  }();
  fs::create_directories(here.path() / "looked-at");
  fs::copy_file(whole, here.path() / "looked-at/an odd, \"name\".png");
  std::ofstream(here.path() / "looked-at/text.png") << "no picture";
  const auto gallery = explanations("small").size();
  const auto done = here.bcx({"explain", "small", "looked-at", "--out", "maps"});
  CHECK(done.code == 3);
  CHECK(done.err.ends_with("error: 1 of 2 cannot be read\n"));
  const auto json = sidecar(here.path() / "maps");
  REQUIRE(json.at("maps").size() == 1);
  CHECK(json.at("maps")[0].at("picture") == "0001-an_odd___name_.png");
  CHECK(json.at("maps")[0].at("name") == "looked-at/an odd, \"name\".png");
  CHECK_FALSE(json.at("maps")[0].contains("sample"));
  CHECK(explanations("small").size() == gallery);
  // Without --out they stand beside the gallery.
  here.need({"explain", "small", whole.string(), "--quiet"});
  CHECK(explanations("small").size() == gallery + 3);
}

TEST_CASE("a run without final predictions has no gallery") {
  const auto& here = workplace();
  here.need({"run", "small.toml", "--name", "untested", "--quiet", "--set", "train.epochs=1",
             "--set", "data.split.test=0.0", "--set", "data.split.validation=0.0", "--set",
             "evaluate.threshold=0.5", "--set", "train.batch_size=36"});
  here.fails(
      {"explain", "untested", "--quiet"}, 3,
      "error: run untested: has no final predictions to choose pictures from; name pictures: "
      "bcx explain RUN PATH\n");
}
