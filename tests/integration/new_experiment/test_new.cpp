// `bcx new`: what it writes for all kinds of folders is an experiment that `bcx check` takes.

#include "tests/catch.h"
#include "tests/process.h"

using namespace bcx;
namespace fs = std::filesystem;

namespace {

struct Here : test::TemporaryFolder {
  test::Outcome bcx(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), (test::build_dir() / "bin/bcx").string());
    return test::run_process(std::move(arguments), path(), path());
  }
  void touch(const std::string& file, const std::string& text = "") const {
    fs::create_directories((path() / file).parent_path());
    std::ofstream(path() / file) << text;
  }
  std::string text(const std::string& file) const { return test::slurp(path() / file); }

  /// Written without a complaint, and taken by `bcx check`. Its text.
  std::string written(const std::string& data, const std::string& file) const {
    const auto made = bcx({"new", data});
    INFO(made.out << made.err);
    REQUIRE(made.code == 0);
    const auto checked = bcx({"check", file});
    INFO(checked.out << checked.err);
    CHECK(checked.code == 0);
    return text(file);
  }
};

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("one folder per class: by image, and how to do better") {
  const Here here;
  for (int i = 0; i < 10; ++i) {
    here.touch("my pics/cat's/" + std::to_string(i) + ".png");
    here.touch("my pics/do\"g/" + std::to_string(i) + ".png");
  }
  const auto text = here.written("my pics", "my pics.toml");
  CHECK(has(text, "# 20 images of 2 classes: cat's 10, do\"g 10\n"));
  CHECK(has(text, "bcx check 'my pics.toml' --resolved"));
  CHECK(has(text, "root = \"my pics\"\npositive = \"do\\\"g\"  # what"));
  CHECK(has(text, "[data.split]\nby = \"image\"\n"));
  CHECK(has(text, "monitor = \"val.auc\""));

  const auto again = here.bcx({"new", "my pics"});
  CHECK(again.code == 2);
  CHECK(again.err == "error: my pics.toml: is there already; give another name with --out\n");
  const auto other = here.bcx({"new", "my pics/", "--out", "sub.toml"});
  CHECK(other.code == 0);
  CHECK(other.err ==
        "warning: nothing says which images belong to one patient: the split is by image; the file "
        "says how to name the patient\n");
  CHECK(has(other.out, "  bcx run sub.toml  "));
}

TEST_CASE("data that name their patients are split by them") {
  const Here here;
  REQUIRE(here.bcx({"data", "demo", "demo", "--images", "24", "--size", "64"}).code == 0);
  const auto text = here.written("demo", "demo.toml");
  CHECK(has(text, "source = \"breakhis\"\n"));
  CHECK(has(text, "positive = \"malignant\""));
  CHECK(has(text, "patient = \"case\"\n"));
  CHECK(has(text, "by = \"case\"  # all images of one case stay on one side\n"));

  std::string rows = "path,label,patient\n";
  for (int i = 0; i < 30; ++i) {
    const auto name = "p" + std::to_string(i) + ".png";
    here.touch("table/" + name);
    rows += name + "," + "abc"[i % 3] + ",n" + std::to_string(i / 2) + "\n";
  }
  here.touch("table/manifest.csv", rows);
  const auto table = here.written("table", "table.toml");
  CHECK(has(table, "source = \"manifest\"\n"));
  CHECK_FALSE(has(table, "positive"));
  CHECK(has(table, "by = \"patient\""));
  CHECK(has(table, "monitor = \"val.accuracy\""));
}

TEST_CASE("parts that are there stay, and many classes are not all named") {
  const Here here;
  for (const char* part : {"train", "validation", "test"})
    for (int k = 0; k < 13; ++k)
      here.touch("fixed/" + std::string(part) + "/class" + std::to_string(k) + "/a.png");
  const auto text = here.written("fixed", "fixed.toml");
  CHECK(has(text, "# 39 images of 13 classes: class0 3, class1 3,"));
  CHECK(has(text, ", ... (13 in all)\n"));
  CHECK(has(text, "# The parts are those of the data"));
  CHECK_FALSE(has(text, "[data.split]"));
}

TEST_CASE("what is no data, and a folder in place of an experiment") {
  const Here here;
  const auto missing = here.bcx({"new", "nowhere"});
  CHECK(missing.code == 3);
  CHECK(missing.err ==
        "error: nowhere: does not exist; name a folder with one folder of images per class\n");
  here.touch("empty/readme.txt");
  CHECK(here.bcx({"new", "empty"}).code == 3);
  CHECK_FALSE(fs::exists(here / "empty.toml"));
  const auto run = here.bcx({"run", "empty"});
  CHECK(run.code == 2);
  CHECK(run.err ==
        "error: empty: is a folder, not an experiment file; write one for its images: bcx new "
        "empty\n");
}
