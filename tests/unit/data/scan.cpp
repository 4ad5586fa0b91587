#include "data/scan.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <set>

#include "data_tables.h"
#include "tests/catch.h"

using namespace bcx;
using namespace bcx::data;
namespace fs = std::filesystem;

namespace {

config::DataConfig config_of(const std::string& source, const fs::path& root) {
  config::DataConfig config;
  config.source = source;
  config.root = root;
  return config;
}

// The error of a scan with the root's path written ROOT.
std::string scan_error(const config::DataConfig& config, const fs::path& root) {
  auto text = test::error_of([&] { scan(config); });
  for (auto at = text.find(root.string()); at != std::string::npos; at = text.find(root.string())) {
    text.replace(at, root.string().size(), "ROOT");
  }
  return text;
}

std::vector<std::string> names(const SampleTable& table) {
  std::vector<std::string> found;
  for (const auto& sample : table.samples) found.push_back(sample.relative);
  return found;
}

}  // namespace

TEST_CASE("class folders become classes") {
  const test::TemporaryFolder root;
  for (const char* name : {"b/2.png", "b/1.JPG", "a/deep/er/x.tiff", "a/.hidden.png", "a/notes.txt",
                           ".git/c.png", "a/3.bmp"}) {
    test::touch(root / name);
  }
  const auto table = scan(config_of("folders", root.path()));
  CHECK(table.classes == std::vector<std::string>{"a", "b"});
  CHECK(table.positive == 1);
  CHECK(names(table) ==
        std::vector<std::string>{"a/3.bmp", "a/deep/er/x.tiff", "b/1.JPG", "b/2.png"});
  CHECK(table.attribute_names.empty());
  CHECK(table.samples[0].id == stable_hash("a/3.bmp"));
  CHECK(table.samples[0].path == fs::canonical(root.path()) / "a/3.bmp");
  CHECK(table.samples[3].label == 1);
}

TEST_CASE("fixed parts become the attribute part") {
  const test::TemporaryFolder root;
  for (const char* name : {"train/a/1.png", "train/b/2.png", "val/a/3.png", "val/b/4.png",
                           "test/a/5.png", "docs/c/6.png"}) {
    test::touch(root / name);
  }
  const auto table = scan(config_of("folders", root.path()));
  CHECK(table.classes == std::vector<std::string>{"a", "b"});
  CHECK(table.attribute_names == std::vector<std::string>{"part"});
  std::vector<std::string> parts;
  for (const auto& sample : table.samples) parts.push_back(sample.attributes[0]);
  CHECK(parts == std::vector<std::string>{"test", "train", "train", "validation", "validation"});
}

TEST_CASE("classes and positive are as asked") {
  const test::TemporaryFolder root;
  for (const char* name : {"a/1.png", "b/2.png", "c/3.png"}) test::touch(root / name);
  auto config = config_of("folders", root.path());
  config.classes = {"c", "a"};
  config.positive = "c";
  const auto table = scan(config);
  CHECK(table.classes == config.classes);
  CHECK(table.positive == 0);
  CHECK(names(table) == std::vector<std::string>{"a/1.png", "c/3.png"});
  CHECK(table.samples[0].label == 1);

  config.classes = {"a", "bb"};
  CHECK(scan_error(config, root.path()) ==
        "ROOT: no class \"bb\" (data.classes); did you mean \"b\"?");
  config.classes = {"a", "something"};
  CHECK(scan_error(config, root.path()) ==
        "ROOT: no class \"something\" (data.classes); there are \"a\", \"b\", \"c\"");
  config.classes = {"a", "a"};
  CHECK(scan_error(config, root.path()) ==
        "data.classes: class \"a\" is named twice; name each class once");
  config.classes = {"a", "b"};
  config.positive = "tumour";
  CHECK(scan_error(config, root.path()) ==
        "ROOT: no class \"tumour\" (data.positive); the classes are \"a\", \"b\"");
  config.classes = {"a"};
  config.positive = "";
  CHECK(scan_error(config, root.path()) ==
        "ROOT: one class only (\"a\"); a classifier needs at least two: check data.root and "
        "data.classes");
}

TEST_CASE("what cannot be scanned says why") {
  const test::TemporaryFolder root;
  const auto missing = root / "nowhere";
  CHECK(scan_error(config_of("folders", missing), root.path()) ==
        "ROOT/nowhere: data.root is not there (No such file or directory); set data.root or "
        "BCX_DATA to the folder with the images, or draw some with `bcx data demo DIR`");
  CHECK(scan_error(config_of("folders", root.path()), root.path()) ==
        "ROOT: no class folders with images here; expected <class>/*.png, or train/<class>/ and "
        "validation/<class>/ (png, jpg, tif, bmp)");
  CHECK(scan_error(config_of("breakhis", root.path()), root.path()) ==
        "ROOT: no BreakHis images below this folder; data.root must hold "
        "histology_slides/breast/...; `bcx data demo DIR` draws images to try");
  test::touch(root / "file");
  CHECK(scan_error(config_of("folders", root / "file"), root.path()) ==
        "ROOT/file: data.root is not a folder; name the folder that holds the images");
  test::touch(root / "a/1.png");
  fs::create_directories(root / "b");
  CHECK(scan_error(config_of("folders", root.path()), root.path()) ==
        "ROOT/b: class \"b\" has no images; add some (png, jpg, tif, bmp), or leave the class out "
        "with data.classes");
}

TEST_CASE("an error of the data has exit code 3") {
  try {
    scan(config_of("folders", "/nowhere"));
    FAIL("no error");
  } catch (const Error& error) {
    CHECK(error.code() == ExitCode::data);
  }
}

TEST_CASE("links") {
  const test::TemporaryFolder root, outside;
  test::touch(outside / "x.png");
  test::touch(root / "a/1.png");
  test::touch(root / "b/2.png");
  fs::create_symlink("1.png", root / "a/again.png");
  fs::create_directory_symlink("..", root / "a/loop");
  fs::create_directory_symlink("a", root / "c");
  CHECK(names(scan(config_of("folders", root.path()))) ==
        std::vector<std::string>{"a/1.png", "a/again.png", "b/2.png"});

  SECTION("out of the root") {
    fs::create_symlink(outside / "x.png", root / "a/out.png");
    CHECK(scan_error(config_of("folders", root.path()), root.path()) ==
          "ROOT/a/out.png: a link that leaves the data folder (to " +
              fs::canonical(outside / "x.png").string() +
              "); copy what it points to into the folder, or set data.root to where the files are");
  }
  SECTION("to nowhere") {
    fs::create_symlink("missing.png", root / "a/gone.png");
    CHECK(scan_error(config_of("folders", root.path()), root.path()) ==
          "ROOT/a/gone.png: a link that leads nowhere (No such file or directory); remove it, or "
          "restore what it points to");
  }
  SECTION("the root itself may be one") {
    const auto link = outside / "data";
    fs::create_directory_symlink(root.path(), link);
    CHECK(scan(config_of("folders", link)).samples.size() == 3);
  }
}

TEST_CASE("a folder name beside the root's is not inside it") {
  const test::TemporaryFolder parent;
  test::touch(parent / "data/a/1.png");
  test::touch(parent / "data/b/1.png");
  test::touch(parent / "data-secret/x.png");
  fs::create_symlink("../../data-secret/x.png", parent / "data/a/out.png");
  CHECK(scan_error(config_of("folders", parent / "data"), parent / "data")
            .starts_with("ROOT/a/out.png: a link that leaves the data folder"));
}

TEST_CASE("the BreakHis tree gives its attributes") {
  const test::TemporaryFolder root;
  for (const auto& name : test::breakhis_folders()) test::touch(root / name.relative_path());
  const auto table = scan(config_of("breakhis", root.path()));
  REQUIRE(table.samples.size() == 82);
  CHECK(table.classes == std::vector<std::string>{"benign", "malignant"});
  CHECK(table.attribute_names ==
        std::vector<std::string>{"case", "slide", "patient", "magnification", "type", "year"});
  const auto distinct = [&](const char* attribute) {
    std::set<std::string> values;
    for (const auto& sample : table.samples) {
      values.insert(sample.attributes[*table.attribute(attribute)]);
    }
    return values.size();
  };
  CHECK(distinct("patient") == 82);
  CHECK(distinct("slide") == 81);
  CHECK(distinct("case") == 70);
  CHECK(distinct("type") == 8);
}

TEST_CASE("BreakHis files out of place are told") {
  const test::TemporaryFolder root;
  const auto good = test::breakhis_name(false, "A", "22549", "AB");
  test::touch(root / good.relative_path());
  test::touch(root / "malignant/SOB_B_A-14-22549AB-100-002.png");
  test::touch(root / "SOB_B_A_14-1A/SOB_B_A-14-22549AB-100-003.png");
  test::touch(root / "copy" / good.file_name());
  test::touch(root / "sheet.png");
  CHECK(
      scan_error(config_of("breakhis", root.path()), root.path()) ==
      "ROOT/SOB_B_A_14-1A/SOB_B_A-14-22549AB-100-003.png: lies under SOB_B_A_14-1A, but its name "
      "says SOB_B_A_14-22549AB; move it to where it belongs\n"
      "ROOT/" +
          good.relative_path() +
          ": a second file of this name; keep one copy of the data set below data.root\n"
          "ROOT/malignant/SOB_B_A-14-22549AB-100-002.png: lies under malignant, but its name says "
          "benign; move it to where it belongs\n"
          "ROOT/sheet.png: not a BreakHis file name; expected the like of "
          "SOB_B_A-14-22549AB-100-001.png: move the file out of the data folder, or use "
          "data.source = \"folders\"");
}

TEST_CASE("magnifications filter") {
  const test::TemporaryFolder root;
  for (const char* zoom : {"40", "100"}) {
    test::touch(root / test::breakhis_name(false, "A", "1", "", 1, zoom).relative_path());
    test::touch(root / test::breakhis_name(true, "DC", "2", "", 1, zoom).relative_path());
  }
  auto config = config_of("breakhis", root.path());
  config.magnifications = {40, 400};
  CHECK(scan(config).samples.size() == 2);
  config.magnifications = {200, 400};
  CHECK(scan_error(config, root.path()) ==
        "ROOT: no image has a magnification of 200, 400; there are \"100\", \"40\"");
  test::touch(root / "x/1.png");
  test::touch(root / "y/1.png");
  config.source = "folders";
  CHECK(scan_error(config, root.path()) ==
        "ROOT: data.magnifications is set, but these images have no attribute \"magnification\"; "
        "leave data.magnifications out, or name it in data.pattern or the manifest");
}

TEST_CASE("a pattern adds attributes to any source") {
  const test::TemporaryFolder root;
  for (const char* name : {"a/p1_1.png", "a/p2_1.png", "b/p3_1.png"}) test::touch(root / name);
  auto config = config_of("folders", root.path());
  config.pattern = R"(/(?<case>p\d+)_)";
  const auto table = scan(config);
  CHECK(table.attribute_names == std::vector<std::string>{"case"});
  CHECK(table.samples[1].attributes == std::vector<std::string>{"p2"});
  test::touch(root / "b/other.png");
  CHECK(scan_error(config, root.path()) ==
        "b/other.png: data.pattern does not match this name; change the pattern, or move the file "
        "out of the data folder");
  fs::remove(root / "b/other.png");
  test::touch(root / "manifest.csv", "path,label,case\na/p1_1.png,a,1\nb/p3_1.png,b,2\n");
  config.source = "manifest";
  CHECK(scan_error(config, root.path()) ==
        "data.pattern: data.pattern names a group \"case\", which the data has already; give the "
        "group another name");
}

TEST_CASE("group keys") {
  SampleTable table;
  table.attribute_names = {"site", "slide", "case", "part"};
  CHECK(group_keys(table) == std::vector<std::string>{"case", "slide"});
  CHECK(group_keys(table, "site", "case") == std::vector<std::string>{"case", "slide", "site"});
  CHECK(group_keys(table, "nothing").size() == 2);
}

TEST_CASE("large lists are scanned quickly") {
  const test::TemporaryFolder root;
  std::string text = "path,label,group\n";
  for (int i = 0; i < 2'000; ++i) {
    const auto name = fmt::format("{}/{}.png", i % 10, i);
    if (i < 10) fs::create_directories(root / std::to_string(i));
    std::ofstream(root / name) << "";
    text += fmt::format("{},{},g{}\n", name, i % 2 ? "x" : "y", i % 50);
  }
  test::touch(root / "manifest.csv", text);
  CHECK(scan(config_of("manifest", root.path())).samples.size() == 2'000);
  // A hundred thousand names without a file behind each: the parser and the grammar alone.
  const auto begin = std::chrono::steady_clock::now();
  std::size_t known = 0;
  for (int i = 0; i < 100'000; ++i) {
    const auto name = test::breakhis_name(i % 2 != 0, i % 2 ? "DC" : "A",
                                          std::to_string(i / 900 + 1), "AB", i % 900 + 1);
    known += parse_breakhis_name(name.file_name()).has_value();
  }
  CHECK(known == 100'000);
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(2));
}

TEST_CASE("the shared BreakHis sample") {
  BCX_NEEDS_SHARED("data/BreaKHis_v1");
  const auto table = scan(config_of("breakhis", test::shared_dir() / "data/BreaKHis_v1"));
  CHECK(table.samples.size() == 352);
  std::map<std::string, int> benign;
  for (const auto& sample : table.samples) {
    if (sample.label == 0) ++benign[sample.attributes[*table.attribute("case")]];
  }
  CHECK(
      benign ==
      std::map<std::string, int>{
          {"14-21998", 72}, {"14-22549", 57}, {"14-23060", 10}, {"14-29960", 23}, {"14-3411", 16}});
}
