// Names that would act on a terminal, wherever a name can come from: nothing of bcx prints them
// raw.
#include <fmt/format.h>

#include <cmath>
#include <fstream>

#include "base/text.h"
#include "data/images.h"
#include "description.h"
#include "tests/catch.h"
#include "tests/process.h"
#include "tracker/run_writer.h"
#include "tracker/sqlite.h"

using namespace bcx;
using namespace bcx::test;
namespace fs = std::filesystem;

namespace {

// Clears the screen, sets the window's title, overwrites the line, forges one of its own.
const std::string evil =
    "e\x1b[2J\x1b]0;owned\x07\rv\nFORGED\xc2\x9b"
    "31m\xff il";
const std::string evil_text =
    "e\x1b[2J\x1b]0;owned\x07\rv\nFORGED\xc2\x9b"
    "31m il";  // UTF-8

/// No line of what was printed acts on a terminal or was made by a name.
void check_printed(const Outcome& outcome) {
  for (const auto& text : {outcome.out, outcome.err}) {
    for (const auto& line : split(text, '\n')) {
      CHECK(printable(line) == line);
      CHECK_FALSE(line.starts_with("FORGED"));
    }
  }
  CHECK(outcome.code < 128);
}

class Command {
 public:
  Outcome operator()(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), (build_dir() / "bin/bcx").string());
    INFO(join(arguments, " "));
    const auto outcome = run_process(arguments, folder_.path(), folder_.path());
    check_printed(outcome);
    return outcome;
  }
  const TemporaryFolder& folder() const { return folder_; }

 private:
  TemporaryFolder folder_;
};

void make_pictures(const fs::path& root, const std::vector<std::string>& names) {
  int grey = 0;
  for (const auto& name : names) {
    fs::create_directories((root / name).parent_path());
    data::Image image(16, 16, static_cast<std::uint8_t>(40 + 20 * grey));
    for (std::size_t i = 0; i < image.rgb.size(); i += static_cast<std::size_t>(7 + grey))
      image.rgb[i] ^= 0x55;
    data::write_png(root / name, image.view());
    ++grey;
  }
}

}  // namespace

TEST_CASE("a tracker full of hostile names") {
  const Command bcx;
  const auto path = bcx.folder() / "bcx.db";
  auto run = description(evil_text);
  run.experiment = run.notes = run.command = run.version = run.git_commit = evil_text;
  run.config_source = run.config_resolved = evil_text;
  run.tags = {"x"};
  run.params.push_back({"k" + evil_text, evil_text, false, evil_text});
  run.plugins = {{evil_text, "optimizer", evil_text, evil_text, evil_text}};
  run.system = {{evil_text, evil_text}};
  std::string first, second;
  for (auto* id : {&first, &second}) {
    auto writer = tracker::RunWriter::create(path, run);
    writer->epoch_metrics(1, 1, {{"val.auc", 0.5}});
    writer->epoch_metrics(2, 2, {{"val.auc", std::nan("")}});
    writer->event(tracker::Level::warning, evil_text);
    writer->finish(tracker::Status::failed, evil_text);
    *id = writer->id();
  }
  {
    tracker::Database database(path, tracker::Database::Mode::write);
    // What the writer refuses and a file from elsewhere may hold.
    database.prepare("UPDATE run_tag SET tag=tag || ?").run(evil);
    database.prepare("UPDATE metric_key SET name=name || ?").run(evil);
    database.prepare("UPDATE run SET notes=?").run(evil);
    database.prepare("INSERT INTO run_stamp SELECT id, ?, ?, 0 FROM run").run(evil, evil);
    database.prepare("INSERT INTO artifact SELECT id, ?, ?, ?, 1, ?, 0 FROM run")
        .run(evil, evil, evil, evil);
    database
        .prepare(
            "INSERT INTO checkpoint SELECT id, id, 1, 0, 1, 0, 1, ?, ?, 1, ?, ?, 0.5, 1 FROM run")
        .run(evil, evil, evil, evil);
  }
  const std::string db = path.string();
  for (const auto& words :
       std::vector<std::vector<std::string>>{{"runs"},

                                             {"runs", "--json"},
                                             {"runs", "--md"},
                                             {"runs", "--group-by", "name"},
                                             {"runs", "name = 'nothing' or nothing = 1"},
                                             {"runs", "--sort", evil_text},
                                             {"show", first},
                                             {"show", first, "--json"},
                                             {"show", evil_text},
                                             {"log", first},
                                             {"log", first, "--json"},
                                             {"curve", first, "val.auc" + evil},
                                             {"curve", first, "nothing"},
                                             {"diff", first, second},
                                             {"diff", first, second, "--json"},
                                             {"sql", "SELECT * FROM run"},
                                             {"sql", "SELECT * FROM run", "--json"},
                                             {"sql", "SELECT " + evil},
                                             {"sql", "SELECT 1 AS \"" + evil_text + "\""},
                                             {"tag", first, "y"},
                                             {"note", first, evil_text},
                                             {"name", first, evil_text},
                                             {"compare", first, second},
                                             {"report", first, "--out", "r.html"},
                                             {"export", first, "--out", "e.db"},
                                             {"merge", "e.db"},
                                             {"gc"},
                                             {"rm", second},
                                             {"rm", "--list"},
                                             {"doctor"}}) {
    auto arguments = words;
    arguments.insert(arguments.end(), {"--tracker", db});
    bcx(arguments);
  }
  CHECK(bcx({"runs", "--tracker", db}).code == 0);
  CHECK(bcx({"show", first, "--tracker", db}).code == 0);
  bcx({"runs", "--tracker", evil_text});
}

TEST_CASE("pictures, classes and patients with hostile names") {
  const Command bcx;
  const auto root = bcx.folder() / evil;
  make_pictures(root, {evil + "/1.png", evil + "/" + evil + ".png", "b/1.png", "b/2.png"});
  std::ofstream(root / "b" / (evil + "-broken.png")) << "no picture";
  std::ofstream(bcx.folder() / "x.toml") << "[experiment]\nname = \"x\"\n[data]\nroot = \""
                                         << "data"
                                         << "\"\nsource = \"folders\"\n";
  fs::create_directory_symlink(root, bcx.folder() / "data");
  for (const char* what : {"inspect", "audit"}) {
    bcx({"data", what, root.string()});
    bcx({"data", what, "data"});
    bcx({"data", what, "data", "--json"});
  }
  bcx({"data", "audit", "data", "--source", evil});
  bcx({"data", "pack", "data", "--out", (bcx.folder() / (evil + ".bcxpack")).string()});
  bcx({"data", "preview", "data", "--out", "sheet.png"});
  bcx({"check", "x.toml"});
  bcx({"new", root.string()});
  bcx({"new", root.string(), "--out", "new.toml"});
  bcx({"check", "new.toml"});
  bcx({"run", root.string()});
}

TEST_CASE("a manifest of hostile labels, columns and paths") {
  const Command bcx;
  make_pictures(bcx.folder() / "data", {"a.png", "b.png", "c.png", "d.png"});
  const std::string cell = "\"" + evil_text + "\"";
  std::ofstream(bcx.folder() / "data/manifest.csv")
      << "path,label,group," << cell << "\na.png," << cell << "," << cell << "," << cell
      << "\nb.png,y,p2,1\nc.png," << cell << ",p3,2\nd.png,y,p4,3\n";
  for (const char* what : {"inspect", "audit"}) {
    bcx({"data", what, "data"});
    bcx({"data", what, "data/manifest.csv", "--json"});
  }
  std::ofstream(bcx.folder() / "data/manifest.csv")
      << "path,label\n"
      << cell << "," << cell << "\na.png,x\na.png,x\n../" << evil_text << "\n";
  bcx({"data", "inspect", "data"});
}

TEST_CASE("experiments and command lines with hostile words") {
  const Command bcx;
  const auto file = bcx.folder() / (evil + ".toml");
  std::ofstream(file)
      << "[experiment]\nname = \""
      << "\\u001b[2J\\nFORGED"
      << "\"\n[data]\nroot = \"\\u001b[2J\\nFORGED\"\n"
      << "\"\\u001b[2J\\nFORGED\" = 1\n[model]\nbackbone = \"\\u001b[2J\\nFORGED\"\n"
      << "[[augmentation]]\nname = \"\\u001b[2J\\nFORGED\"\n";
  bcx({"check", file.string()});
  bcx({"check", file.string(), "--set", evil_text + "=1", "--set", "train.epochs=" + evil_text});
  bcx({"check", evil});
  bcx({"run", evil});
  bcx({"plugins", "show", evil_text});
  bcx({"plugins", "list", "--plugin-path", evil});
  bcx({"weights", "show", evil});
  bcx({"weights", "fetch", evil_text});
  bcx({"metrics", evil});
  bcx({evil_text});
  bcx({"runs", "--limit", evil_text});
  bcx({"runs", "--" + evil_text});
}
