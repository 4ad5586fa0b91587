// `bcx predict` as a user runs it.

#include <algorithm>

#include "eval/scores.h"
#include "workplace.h"

using namespace bcx;
namespace fs = std::filesystem;
using test::json_lines;
using test::workplace;

namespace {

/// A picture of the demo data.
fs::path some_picture() {
  std::vector<fs::path> found;
  for (const auto& entry : fs::recursive_directory_iterator(workplace().path() / "demo"))
    if (entry.path().extension() == ".png") found.push_back(entry.path());
  return *std::min_element(found.begin(), found.end());
}

std::vector<float> floats(const nlohmann::json& list) {
  std::vector<float> values;
  for (const auto& one : list) values.push_back(static_cast<float>(one.get<double>()));
  return values;
}

void write(const fs::path& path, const std::string& bytes) {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << bytes;
}

}  // namespace

TEST_CASE("a run's test images get the logits that the run stored, bit by bit") {
  const auto& here = workplace();
  const auto stored = here.logits("small", "final");
  REQUIRE(stored.size() > 5);
  std::string list;
  for (const auto& [name, logits] : stored) list += "demo/" + name + "\r\n";
  write(here.path() / "test-images.txt", list);
  const auto done = here.bcx({"predict", "small", "--list", "test-images.txt", "--json"});
  INFO(done.err);
  REQUIRE(done.code == 0);
  const auto lines = json_lines(done.out);
  REQUIRE(lines.size() == stored.size());
  for (const auto& [name, logits] : stored)
    CHECK(floats(lines.at("demo/" + name).at("logits")) == logits);

  // From standard input; and a folder's names are the samples', so that test-time augmentation
  // draws what it drew for the run.
  const auto piped = here.shell("bcx predict small --json - < test-images.txt");
  CHECK(piped.out == done.out);
  const auto views = here.bcx({"predict", "small", "demo", "--json", "--tta", "2", "--quiet"});
  CHECK(views.err.empty());
  const auto all = json_lines(views.out);
  CHECK(all.size() == 72);
  for (const auto& [name, logits] : here.logits("small", "tta")) {
    const auto found = floats(all.at("demo/" + name).at("logits"));
    for (std::size_t c = 0; c < logits.size(); ++c)
      CHECK(found[c] == Approx(logits[c]).margin(1e-5));
  }
}

TEST_CASE("scores are probabilities of the positive class, decided by the run's frozen threshold") {
  const auto& here = workplace();
  const auto picture = some_picture().string();
  const auto json = json_lines(here.need({"predict", "small", picture, "--json"}).out).at(picture);
  const auto p = eval::Probabilities::softmax(floats(json.at("logits")), 2);
  CHECK(json.at("score") == p.row(0)[1]);
  CHECK(json.at("probabilities").at("benign") == p.row(0)[0]);
  std::optional<double> threshold;
  const auto reader = here.reader();
  for (const auto& one : reader.evaluations(here.run("small").id))
    if (one.row.part == "test") threshold = one.row.threshold_value;
  REQUIRE(threshold);
  CHECK(json.at("threshold") == *threshold);
  CHECK(json.at("predicted") == (p.row(0)[1] >= *threshold ? "malignant" : "benign"));

  const auto csv = here.need({"predict", "small", picture}).out;
  CHECK(csv.starts_with("path,predicted,score,threshold\n" + picture + "," +
                        json.at("predicted").get<std::string>() + ","));
  CHECK(std::count(csv.begin(), csv.end(), '\n') == 2);
  here.need({"predict", "small", picture, "--out", "one.csv"});
  CHECK(test::slurp(here.path() / "one.csv") == csv);
  // The last checkpoint by name is the same model as by its path.
  const auto last = here.need({"predict", "small", picture, "--checkpoint", "last"}).out;
  fs::path newest;
  for (const auto& file :
       fs::directory_iterator(here.path() / "runs" / here.run("small").folder / "checkpoints"))
    if (file.path().filename().string().starts_with("last-"))
      newest = std::max(newest, file.path());
  CHECK(here.need({"predict", "small", picture, "--checkpoint", newest.string()}).out == last);
}

TEST_CASE("pictures that cannot be read are named and counted; the others are written") {
  const auto& here = workplace();
  const auto whole = test::slurp(some_picture());
  const auto folder = here.path() / "mixed";
  write(folder / "good.png", whole);
  write(folder / "below/cut.png", whole.substr(0, 300));
  write(folder / "below/.hidden.png", "not looked at");
  write(folder / "text.jpg", "no picture");
  write(folder / "notes.txt", "not a picture's name");
  fs::create_directory(folder / "folder.png");
  fs::create_symlink("/nowhere", folder / "link.png");
  fs::create_directory_symlink("..", folder / "loop");
  const auto done = here.bcx({"predict", "small", "mixed", "missing.png", "--quiet"});
  CHECK(done.code == 3);
  CHECK(done.err ==
        "warning: mixed/below/cut.png: PNG is truncated: 8192 bytes are due at 41, the file has "
        "300\n"
        "warning: mixed/link.png: cannot be opened: No such file or directory\n"
        "warning: mixed/text.jpg: is not a PNG, JPEG, TIFF or BMP picture\n"
        "warning: missing.png: cannot be opened: No such file or directory\n"
        "error: 4 of 5 cannot be read\n");
  CHECK(std::count(done.out.begin(), done.out.end(), '\n') == 2);
  CHECK(done.out.find("\nmixed/good.png,") != std::string::npos);
}

TEST_CASE("names may hold anything") {
  const auto& here = workplace();
  const auto whole = test::slurp(some_picture());
  const std::vector<std::string> names{"comma,\"quote\".png", "new\nline.png", "-x.png",
                                       "\xff\xfe.png",        "=1+1.png",      " space .png",
                                       "\x1b[31mred.png"};
  for (const auto& name : names) write(here.path() / "odd" / name, whole);
  const auto csv = here.bcx({"predict", "small", "odd", "--quiet"});
  CHECK(csv.code == 0);
  CHECK(csv.out.find("\n\"odd/comma,\"\"quote\"\".png\",") != std::string::npos);
  CHECK(csv.out.find("\n\"odd/new\nline.png\",") != std::string::npos);
  CHECK(csv.out.find("\nodd/\xff\xfe.png,") != std::string::npos);
  const auto json = here.bcx({"predict", "small", "odd", "--json", "--quiet"});
  CHECK(json_lines(json.out).size() == names.size());
  CHECK(json_lines(json.out).contains("odd/new\nline.png"));
  // A list cannot hold a line end in a name; a NUL byte would cut it.
  write(here.path() / "nul.txt", std::string("odd/-x.png\0.txt\n\nodd/-x.png\n", 27));
  const auto listed = here.bcx({"predict", "small", "--list", "nul.txt", "--quiet"});
  CHECK(listed.code == 3);
  CHECK(listed.err ==
        "warning: odd/-x.png\\x00.txt: is no path: it holds a NUL byte\n"
        "error: 1 of 2 cannot be read\n");
}

TEST_CASE("what is wrong with a command is said before any work") {
  const auto& here = workplace();
  fs::create_directory(here.path() / "empty");
  here.fails({"predict", "small"}, 2,
             "error: no picture was named; name files or folders, --list FILE, or - for standard "
             "input\n");
  here.fails({"predict", "small", "empty"}, 3,
             "error: empty: holds no picture; PNG, JPEG, TIFF and BMP are looked for, by their "
             "endings\n");
  here.fails({"predict", "small", "--list", "none.txt"}, 3,
             "error: none.txt: cannot be opened: No such file or directory; name a file with a "
             "path on each line\n");
  write(here.path() / "junk.safetensors", "junk");
  const auto picture = some_picture().string();
  here.fails({"predict", "small", picture, "--checkpoint", "junk.safetensors", "--out", "o.csv",
              "--quiet"},
             3, "error: junk.safetensors: holds 4 bytes, a safetensors file has at least 10\n");
  CHECK_FALSE(fs::exists(here.path() / "o.csv"));
  CHECK(here.bcx({"predict", "nobody", picture}).code == 2);
}

TEST_CASE("a reader that has enough ends a command quietly; a full disk does not") {
  const auto& here = workplace();
  const auto piped = here.shell(
      "{ bcx predict small demo --quiet; echo $? > predicted; bcx show small; echo $? > shown; } | "
      "true");
  CHECK(piped.code == 0);
  CHECK(piped.err.empty());
  CHECK(test::slurp(here.path() / "predicted") == "141\n");
  CHECK(test::slurp(here.path() / "shown") == "141\n");
  for (const char* command : {"bcx predict small demo --quiet", "bcx runs"}) {
    const auto full = here.shell(std::string(command) + " > /dev/full");
    CHECK(full.code == 6);
    CHECK(full.err == "error: standard output: No space left on device\n");
  }
  // A training whose messages nobody reads any more is trained all the same.
  here.shell("{ bcx run small.toml --name unheard 2>&1; echo $? > trained; } | true");
  CHECK(test::slurp(here.path() / "trained") == "141\n");
  CHECK(here.run("unheard").status == "finished");
}

TEST_CASE("the folds of a run speak together: the mean of their probabilities") {
  const auto& here = workplace();
  here.need({"run", "small.toml", "--folds", "--name", "cv", "--quiet", "--set", "train.epochs=1",
             "--set", "data.split.method=kfold", "--set", "data.split.folds=3", "--set",
             "evaluate.threshold=0.5", "--set", "evaluate.tta=1"});
  const auto picture = some_picture().string();
  const auto score = [&](const std::string& run) {
    return json_lines(here.need({"predict", run, picture, "--json"}).out)
        .at(picture)
        .at("score")
        .get<double>();
  };
  const double mean = (score("cv-fold0") + score("cv-fold1") + score("cv-fold2")) / 3;
  CHECK(score("cv") == Approx(mean).epsilon(1e-6));
  here.fails({"predict", "cv", picture, "--checkpoint", "x.safetensors"}, 2,
             "error: run cv: --checkpoint FILE names one model, and this run has one for each "
             "fold; name a fold's run instead\n");
}

TEST_CASE("of more classes each has its probability") {
  const auto& here = workplace();
  int n = 0;
  for (const auto& entry : fs::recursive_directory_iterator(here.path() / "demo")) {
    if (entry.path().extension() != ".png") continue;
    const auto folder = here.path() / "three" / std::string(1, "abc"[n++ % 3]);
    fs::create_directories(folder);
    fs::copy_file(entry.path(), folder / entry.path().filename());
  }
  here.need({"run", "small.toml", "--name", "three", "--quiet", "--set", "train.epochs=1", "--set",
             "data.source=folders", "--set", "data.root=three", "--set", "data.split.by=image",
             "--set", "data.image_size=32", "--set", "evaluate.threshold=0.5", "--set",
             "data.audit.allow=[\"near_duplicate\",\"identical_image\",\"conflicting_label\"]"});
  const auto picture = some_picture().string();
  const auto csv = here.need({"predict", "three", picture}).out;
  CHECK(csv.starts_with("path,predicted,score_a,score_b,score_c\n"));
  const auto json = json_lines(here.need({"predict", "three", picture, "--json"}).out).at(picture);
  CHECK_FALSE(json.contains("score"));
  double sum = 0, best = 0;
  for (const auto& [name, p] : json.at("probabilities").items()) {
    sum += p.get<double>();
    best = std::max(best, p.get<double>());
  }
  CHECK(sum == Approx(1.0));
  CHECK(json.at("probabilities").at(json.at("predicted").get<std::string>()) == best);
  // A checkpoint of another run means other classes.
  const auto other =
      (here.path() / "runs" / here.run("three").folder / "checkpoints/best.safetensors").string();
  here.fails({"predict", "small", picture, "--checkpoint", other, "--quiet"}, 3,
             "error: " + other +
                 ": was trained on the classes a, b, c, the run on benign, malignant; name a "
                 "checkpoint of this run\n");
  // On pictures of 32 pixels this network's feature map is one cell.
  here.fails({"explain", "three", picture, "--quiet"}, 2,
             "error: data.image_size: the feature map of resnet18 is 1 x 1 for pictures of 32 "
             "pixels: it cannot say where; train on larger pictures\n");
}
