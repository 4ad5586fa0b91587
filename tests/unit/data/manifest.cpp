#include "data/manifest.h"

#include "data/csv.h"
#include "data_tables.h"
#include "tests/catch.h"

using namespace bcx;
using namespace bcx::data;
namespace fs = std::filesystem;

namespace {

std::vector<std::vector<std::string>> cells(const std::string& text) {
  return parse_csv(text, "m.csv").records;
}

std::string csv_error(const std::string& text) {
  return test::error_of([&] { parse_csv(text, "m.csv"); });
}

// A folder with three pictures and a manifest of these lines.
struct Folder {
  explicit Folder(const std::string& manifest) {
    for (const char* name : {"a.png", "b.png", "sub/c.png"}) test::touch(root / name);
    test::touch(root / "manifest.csv", manifest);
  }
  std::string error() const {
    auto text = test::error_of([&] { read_manifest(root.path()); });
    const std::string folder = root.path().string();
    for (auto at = text.find(folder); at != std::string::npos; at = text.find(folder)) {
      text.replace(at, folder.size(), "ROOT");
    }
    return text;
  }
  test::TemporaryFolder root;
};

}  // namespace

TEST_CASE("CSV as RFC 4180 says") {
  using Cells = std::vector<std::vector<std::string>>;
  CHECK(cells("a,b\n1,2\n") == Cells{{"a", "b"}, {"1", "2"}});
  CHECK(cells("\xEF\xBB\xBF"
              "a,b\r\n1,2") == Cells{{"a", "b"}, {"1", "2"}});
  CHECK(cells("a,b\n\"x,y\",\"say \"\"hi\"\"\"\n") == Cells{{"a", "b"}, {"x,y", "say \"hi\""}});
  CHECK(cells("a,b\n\"two\nlines\",\n") == Cells{{"a", "b"}, {"two\nlines", ""}});
  CHECK(cells("a\n\n\r\n\"\"\nb") == Cells{{"a"}, {""}, {"b"}});
  CHECK(cells("").empty());
  const auto records = parse_csv("a\n\"1\n2\"\n3\n", "m.csv");
  CHECK(records.lines == std::vector<std::size_t>{1, 2, 4});
}

TEST_CASE("bad CSV is refused with its line") {
  CHECK(csv_error("a,b\n1\n") ==
        "m.csv:2: 1 cells, the first line has 2; quote cells that hold a comma");
  CHECK(csv_error("a,b\n1,x\"y\n") ==
        "m.csv:2: a quote inside a cell; quote the whole cell, doubling the quote");
  CHECK(csv_error("a\n\"x\"y\n") ==
        "m.csv:2: something follows a closing quote; double quotes inside a cell");
  CHECK(csv_error("a\n\"x\n") == "m.csv:3: a quote is not closed");
  CHECK(csv_error(std::string("a\nx\0y\n", 6)) ==
        "m.csv:2: a NUL byte; save the file as UTF-8 text");
  CHECK(csv_error("a\n" + std::string(9000, 'x')) == "m.csv:2: a cell of more than 8192 bytes");
  CHECK(csv_error(std::string(100, ',')) == "m.csv:1: more than 64 cells");
}

TEST_CASE("a manifest gives paths, labels and attributes") {
  const Folder folder("path,label,group,stain\n./a.png,x,p1,HE\nsub/c.png,y,p2,\"H, E\"\n");
  const auto manifest = read_manifest(folder.root.path());
  CHECK(manifest.attribute_names == std::vector<std::string>{"group", "stain"});
  REQUIRE(manifest.rows.size() == 2);
  CHECK(manifest.rows[0].relative == "a.png");
  CHECK(manifest.rows[1].relative == "sub/c.png");
  CHECK(manifest.rows[1].attributes == std::vector<std::string>{"p2", "H, E"});
}

TEST_CASE("bad rows of a manifest are told together") {
  const Folder folder(
      "path,label,part\n/etc/passwd,x,train\n../b.png,x,train\nsub/../../b.png,x,train\n"
      "missing.png,x,train\na.png,x,train\n./a.png,y,train\nb.png,,train\nsub,x,train\n"
      "sub/c.png,x,training\n");
  CHECK(folder.error() ==
        "ROOT/manifest.csv:2: the path is absolute: \"/etc/passwd\"\n"
        "ROOT/manifest.csv:3: the path leaves the manifest's folder: \"../b.png\"\n"
        "ROOT/manifest.csv:4: the path leaves the manifest's folder: \"sub/../../b.png\"\n"
        "ROOT/manifest.csv:5: no such file: \"missing.png\"\n"
        "ROOT/manifest.csv:7: listed on line 6 already: \"./a.png\"\n"
        "ROOT/manifest.csv:8: the label is empty: \"b.png\"\n"
        "ROOT/manifest.csv:9: not a regular file: \"sub\"\n"
        "ROOT/manifest.csv:10: part must be train, validation, test or unused: \"training\"");
}

TEST_CASE("a manifest's links stay inside its folder") {
  const test::TemporaryFolder outside;
  test::touch(outside / "secret.png");
  const Folder folder("path,label\nlink.png,x\nfolder/secret.png,x\ninside.png,y\nloop,x\n");
  fs::create_symlink(outside / "secret.png", folder.root / "link.png");
  fs::create_symlink(outside.path(), folder.root / "folder");
  fs::create_symlink("a.png", folder.root / "inside.png");
  fs::create_symlink("loop", folder.root / "loop");
  CHECK(folder.error() ==
        "ROOT/manifest.csv:2: the path leaves the manifest's folder through a link: \"link.png\"\n"
        "ROOT/manifest.csv:3: the path leaves the manifest's folder through a link: "
        "\"folder/secret.png\"\n"
        "ROOT/manifest.csv:5: no such file: \"loop\"");
}

TEST_CASE("more than twenty bad rows are counted") {
  std::string text = "path,label\n";
  for (int i = 0; i < 25; ++i) text += fmt::format("m{}.png,x\n", i);
  const auto error = Folder(text).error();
  CHECK(error.ends_with("\n5 more like these"));
  CHECK(std::count(error.begin(), error.end(), '\n') == 20);
}

TEST_CASE("a manifest's header") {
  CHECK(Folder("file,label\na.png,x\n").error() ==
        "ROOT/manifest.csv:1: no column \"path\"; the first line names the columns, as in "
        "path,label,group");
  CHECK(Folder("path,label,a,a\na.png,x,1,1\n").error() ==
        "ROOT/manifest.csv:1: two columns are called \"a\"; give each column its own name");
  CHECK(Folder("path,label,image\na.png,x,1\n").error() ==
        "ROOT/manifest.csv:1: a column cannot be called \"image\"; give each column its own name");
  CHECK(Folder("path,label\n").error() == "ROOT/manifest.csv: the manifest lists no images");
  CHECK(Folder("").error() ==
        "ROOT/manifest.csv: the manifest is empty; the first line names the columns, as in "
        "path,label,group");
  const test::TemporaryFolder empty;
  CHECK(test::error_of([&] { read_manifest(empty.path()); }) ==
        (empty / "manifest.csv").string() +
            ": no manifest here; data.root names a CSV file with the columns path and label, or a "
            "folder with manifest.csv");
}
