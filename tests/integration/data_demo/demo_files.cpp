#include <fstream>
#include <set>

#include "base/error.h"
#include "data/audit.h"
#include "data/decode.h"
#include "data/demo.h"
#include "data/scan.h"
#include "data/split.h"
#include "tests/catch.h"

using namespace bcx;
using namespace bcx::data;

namespace {

DemoOptions small(std::int64_t patients, std::int64_t images) {
  DemoOptions options;
  options.patients = patients;
  options.images = images;
  options.size = 96;
  return options;
}

config::DataConfig config_of(const std::filesystem::path& root) {
  config::DataConfig config;
  config.root = root;
  config.image_size = 32;
  config.workers = 2;
  return config;
}

std::string error_of(const DemoOptions& options) {
  try {
    draw_demo_image(options, 0);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("demo data is a BreakHis tree that scans, splits and passes the audit") {
  const test::TemporaryFolder folder;
  std::int64_t told = 0;
  write_demo(
      folder / "demo", small(12, 72), [&](std::int64_t done) { told = done; }, 2);
  CHECK(told == 72);

  const auto config = config_of(folder / "demo");
  DecodeOptions decode;
  decode.use_cache = false;
  const auto decoded = decode_all(scan(config), config, decode);
  REQUIRE(decoded.table.samples.size() == 72);
  CHECK(decoded.table.classes == std::vector<std::string>{"benign", "malignant"});
  std::set<std::string> cases, slides;
  std::int64_t malignant = 0;
  for (const auto& sample : decoded.table.samples) {
    cases.insert(sample.attributes[*decoded.table.attribute("case")]);
    slides.insert(sample.attributes[*decoded.table.attribute("slide")]);
    malignant += sample.label;
  }
  CHECK(cases.size() == 12);
  CHECK(slides.size() == 16);
  CHECK(malignant == 36);

  const auto split = make_split(decoded.table, config.split, "case");
  CHECK(audit(decoded.table, split, &decoded.facts, {}, "case").findings.empty());
  config::SplitConfig by_image;
  by_image.by = "image";
  by_image.by_given = true;
  const auto leaky = make_split(decoded.table, by_image, "case");
  const auto report = audit(decoded.table, leaky, &decoded.facts, {}, "case");
  CHECK(report.clean());
  CHECK(report.stamps == std::vector<std::string>{"LEAKY"});
}

TEST_CASE("the same seed draws the same pixels, another seed others") {
  auto options = small(4, 8);
  const auto first = draw_demo_image(options, 5), again = draw_demo_image(options, 5);
  CHECK(first.relative == again.relative);
  CHECK(first.image.rgb == again.image.rgb);
  CHECK(first.image.width == 96);
  CHECK(first.image.height == 63);
  CHECK(draw_demo_image(options, 1).image.rgb != first.image.rgb);
  options.seed = 43;
  CHECK(draw_demo_image(options, 5).image.rgb != first.image.rgb);
}

TEST_CASE("demo data does not mix with what is there") {
  const test::TemporaryFolder folder;
  std::ofstream(folder / "mine.txt") << "x";
  try {
    write_demo(folder.path(), small(2, 2));
    FAIL("no error");
  } catch (const Error& error) {
    CHECK(std::string(error.what()) ==
          folder.path().string() +
              ": exists and is not an empty folder; name a new folder, or remove this one");
    CHECK(error.code() == ExitCode::data);
  }
}

TEST_CASE("options out of range") {
  CHECK(error_of(small(1, 8)) == "--patients: 1 is out of range; use 2 to 2,000");
  CHECK(error_of(small(4, 3)) == "--images: 3 is out of range; use 4 to 200,000");
  CHECK(error_of(small(2, 2000)) ==
        "--images: more than 999 images a patient; BreakHis's names count to 999: use more "
        "--patients");
  auto options = small(4, 8);
  options.size = 20;
  CHECK(error_of(options) == "--size: 20 is out of range; use 64 to 700");
  options = small(4, 8);
  options.patient_effect = -1;
  CHECK(error_of(options) == "--patient-effect: -1.0 is out of range; use 0.0 to 3.0");
}
