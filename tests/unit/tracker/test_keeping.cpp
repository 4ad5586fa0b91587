// Tags, notes, names, the trash, garbage, and runs that travel.
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "base/error.h"
#include "base/hash.h"
#include "base/paths.h"
#include "description.h"
#include "tests/catch.h"
#include "tracker/editor.h"
#include "tracker/garbage.h"
#include "tracker/reader.h"
#include "tracker/run_writer.h"
#include "tracker/schema.h"
#include "tracker/transfer.h"

using namespace bcx::tracker;
using bcx::test::description;
using bcx::test::TemporaryFolder;
namespace fs = std::filesystem;

namespace {

std::string read(const fs::path& path) {
  return bcx::read_text(path, 64 << 20, bcx::ExitCode::other);
}

void write(const fs::path& path, const std::string& text) {
  fs::create_directories(path.parent_path());
  std::ofstream(path) << text;
}

/// A finished run with rows of every kind and files, one of them larger than a piece.
std::string make_run(const fs::path& path, const std::string& name, double auc) {
  auto writer = RunWriter::create(path, description(name));
  DatasetRow data;
  data.hash = "da7a";
  data.source = "folders";
  data.classes = {"benign", "malignant"};
  const std::vector<SampleRow> samples{{1, "a.png", 0, "P1", {}}, {2, "b.png", 1, "P2", {}}};
  writer->dataset(data, samples);
  SplitRow split;
  split.hash = "5b117";
  split.dataset = "da7a";
  const std::vector<SplitMember> members{{1, "train"}, {2, "test"}};
  writer->split(split, members);
  const auto loss = writer->key("train.loss");
  for (int step = 1; step <= 300; ++step) writer->metric(loss, step, step / 100.0, 1.0 / step);
  writer->epoch_metrics(3, 300, {{"val.auc", auc}});
  EvaluationRow row;
  row.cursor = {3, 0, 300};
  row.part = "test";
  row.purpose = "final";
  row.metrics = {{"auc", auc}};
  const std::vector<std::uint64_t> ids{2};
  const std::vector<float> logits{0.5f, -0.25f};
  const auto evaluation = writer->evaluation(row, ids, logits);
  writer->curve({"roc", evaluation, "fpr", "tpr", {0, 1}, {0, 1}});
  writer->event(Level::info, "epoch 1 done");
  write(writer->folder() / "report.html", "<p>" + name);
  writer->artifact({"report.html", "report", (writer->folder() / "report.html").string(), 3, "0"});
  write(writer->folder() / "checkpoints/last.safetensors", std::string((4 << 20) + 12345, 'w'));
  CheckpointRow checkpoint;
  checkpoint.path = (writer->folder() / "checkpoints/last.safetensors").string();
  checkpoint.tag = "last";
  writer->checkpoint(checkpoint);
  writer->finish(Status::finished, "");
  return writer->id();
}

/// Everything of every table, with ids that are good for one file only left out.
std::string content(const fs::path& path) {
  auto database = open_for_reading(path);
  std::string all;
  for (const char* sql :
       {"SELECT uuid, name, status, started, updated, ended, seed, notes, config_resolved, folder "
        "FROM run ORDER BY uuid",
        "SELECT run, name, key, step, epoch, value, attempt, time FROM v_metric ORDER BY 1, 3, 4",
        "SELECT run, key, last, min, max, count FROM v_best ORDER BY 1, 2",
        "SELECT run, part, look, sample, sample_name, patient, target, hex(logits) FROM "
        "v_prediction ORDER BY 1, 4",
        "SELECT r.uuid, b.level, b.first_step, b.count, b.mean FROM metric_bucket b JOIN run r "
        "ON r.id=b.run ORDER BY 1, 2, 3",
        "SELECT r.uuid, p.key, p.type, p.value, p.origin FROM param p JOIN run r ON r.id=p.run "
        "ORDER BY 1, 2",
        "SELECT r.uuid, t.tag FROM run_tag t JOIN run r ON r.id=t.run ORDER BY 1, 2",
        "SELECT r.uuid, e.time, e.message FROM event e JOIN run r ON r.id=e.run ORDER BY 1, e.id",
        "SELECT r.uuid, c.kind, hex(c.points) FROM curve c JOIN run r ON r.id=c.run ORDER BY 1",
        "SELECT r.uuid, a.path, a.time FROM artifact a JOIN run r ON r.id=a.run ORDER BY 1",
        "SELECT r.uuid, a.path, a.kept FROM checkpoint a JOIN run r ON r.id=a.run ORDER BY 1",
        "SELECT count(*) FROM dataset", "SELECT count(*) FROM split_part"}) {
    auto rows = database.prepare(sql);
    while (rows.step()) {
      for (int column = 0; column < 10; ++column) all += rows.text(column) + "|";
      all += "\n";
    }
  }
  return all;
}

}  // namespace

TEST_CASE("tags, notes and names") {
  TemporaryFolder folder;
  const auto path = folder / "bcx.db";
  const auto id = make_run(path, "a", 0.9);
  Editor editor(path);
  editor.tag(id, {"final", "final"}, {"paper", "none"});
  CHECK(Reader(path).run(id).tags == std::vector<std::string>{"breakhis", "final"});
  editor.note(id, "second try", false);
  CHECK(Reader(path).run(id).notes == "first try\nsecond try");
  editor.note(id, "only", true);
  CHECK(Reader(path).run(id).notes == "only");
  editor.rename(id, "baseline");
  CHECK(Reader(path).find("baseline").id == id);
  CHECK_THROWS_WITH(
      editor.tag(id, {"a,b"}, {}),
      "\"a,b\" cannot be a tag; at most 100 bytes, no comma and no control characters");
  CHECK_THROWS_WITH(editor.rename(id, "@last"),
                    "\"@last\" cannot be a run's name; at most 200 bytes, no control characters, "
                    "no @ at its beginning");
  CHECK_THROWS(Editor(folder / "none.db"));
  CHECK_FALSE(fs::exists(folder / "none.db"));
}

TEST_CASE("the trash takes a run with its folder and gives it back") {
  TemporaryFolder folder;
  const auto path = folder / "bcx.db";
  const auto id = make_run(path, "a", 0.9);
  const auto run_folder = Reader(path).run(id).folder;
  Editor editor(path);
  editor.trash(id);
  CHECK(Reader(path).run_count() == 0);
  CHECK_FALSE(fs::exists(folder / run_folder));
  CHECK(fs::exists(folder / "trash" / run_folder / "report.html"));
  CHECK(trashed_runs(path).size() == 1);
  CHECK_THROWS_WITH(
      RunWriter::resume(path, id, {}),
      path.string() + ": a is in the trash; `bcx rm --undo " + id + "` brings it back");
  CHECK(collect_garbage(path, true).empty());
  CHECK(find_trashed(path, "a") == id);
  CHECK(find_trashed(path, id.substr(id.size() - 8, 5)) == id);
  editor.restore(id);
  CHECK(Reader(path).run_count() == 1);
  CHECK(read(folder / run_folder / "report.html") == "<p>a");
  CHECK_FALSE(fs::exists(folder / "trash"));

  auto alive = RunWriter::create(path, description("alive"));
  CHECK_THROWS_WITH(editor.trash(alive->id()),
                    "alive is still running; stop it first (`bcx show` says its process)");
  CHECK(Reader(path).run(alive->id()).status == "running");
}

TEST_CASE("garbage is what no run needs, and nothing else") {
  TemporaryFolder folder;
  const auto path = folder / "runs/bcx.db";
  const auto id = make_run(path, "kept", 0.9);
  const auto run_folder = folder / "runs" / Reader(path).run(id).folder;
  write(run_folder / "checkpoints/old.safetensors", "old");
  write(run_folder / ".x.AAAAAA.tmp", "half");
  write(run_folder / "my-notes.txt", "mine");
  write(folder / "runs/lost-0123abcd/report.html", "lost");
  write(folder / "runs/half-0123abcd.partial/report.html", "half");
  write(folder / "runs/data/image.png", "no run's");
  write(folder / "outside/precious", "precious");
  fs::create_directory_symlink(folder / "outside", folder / "runs/link-0123abcd");
  fs::create_directory_symlink(folder / "outside", folder / "runs/lost-0123abcd/link");
  auto alive = RunWriter::create(path, description("alive"));
  write(alive->folder() / "checkpoints/coming.safetensors", "being written");

  std::vector<std::string> names;
  for (const auto& one : collect_garbage(path, false)) names.push_back(one.path);
  const auto name = run_folder.filename().string();
  const std::vector<std::string> expected{
      "half-0123abcd.partial/report.html", name + "/.x.AAAAAA.tmp",
      name + "/checkpoints/old.safetensors", "lost-0123abcd/report.html"};
  CHECK(names == expected);
  CHECK(fs::exists(folder / "runs/lost-0123abcd/report.html"));
  CHECK(collect_garbage(path, true).size() == 4);
  CHECK(collect_garbage(path, false).empty());
  CHECK_FALSE(fs::exists(folder / "runs/lost-0123abcd"));
  CHECK(fs::exists(run_folder / "checkpoints/last.safetensors"));
  CHECK(fs::exists(run_folder / "my-notes.txt"));
  CHECK(fs::exists(folder / "runs/data/image.png"));
  CHECK(fs::exists(folder / "outside/precious"));
  CHECK(fs::exists(alive->folder() / "checkpoints/coming.safetensors"));

  Editor(path).trash(id);
  CHECK(forget_trashed(path) == 1);
  CHECK(collect_garbage(path, true).size() == 4);  // report, checkpoint, notes, lock
  CHECK(Reader(path).run_count() == 1);
  { RunWriter::create(folder / "runs/other.db", description("b")); }
  CHECK_THROWS_WITH(collect_garbage(path, true),
                    (folder / "runs").string() +
                        ": another tracker lies in this folder, other.db: its runs' files cannot "
                        "be told from garbage; `bcx merge` it into this one and move it away, or "
                        "give it a folder of its own");
}

TEST_CASE("export and merge: the same rows and files, once or twice") {
  TemporaryFolder folder;
  const auto path = folder / "a/bcx.db";
  const auto first = make_run(path, "first", 0.9), second = make_run(path, "second", 0.8);
  export_runs(path, {first, second}, folder / "both.bcxrun", true);
  CHECK(Reader(folder / "both.bcxrun").find("second").id == second);
  CHECK_THROWS_WITH(
      export_runs(path, {first}, folder / "both.bcxrun", true),
      (folder / "both.bcxrun").string() + ": this file is there already; name another one");

  const auto copy = folder / "b/bcx.db";
  for (const auto& one : merge(copy, folder / "both.bcxrun"))
    CHECK(one.what == Merged::What::added);
  CHECK(content(copy) == content(path));
  for (const auto& run : Reader(path).runs({}))
    for (const char* file : {"report.html", "checkpoints/last.safetensors"})
      CHECK(bcx::sha256_file(folder / "a" / run.folder / file) ==
            bcx::sha256_file(folder / "b" / run.folder / file));
  for (const auto& one : merge(copy, folder / "both.bcxrun")) CHECK(one.what == Merged::What::same);
  CHECK(content(copy) == content(path));
  CHECK(collect_garbage(copy, false).empty());

  // From a tracker instead of a file: the same; and a run that went on is brought up to date.
  merge(folder / "c/bcx.db", path);
  CHECK(content(folder / "c/bcx.db") == content(path));
  Editor(copy).tag(first, {"mine"}, {});
  {
    auto writer = RunWriter::resume(path, first, {3, 0, 300});
    writer->epoch_metrics(4, 400, {{"val.auc", 0.95}});
    CHECK(merge(copy, path)[0].what == Merged::What::running);
    writer->finish(Status::finished, "");
  }
  CHECK(merge(copy, path)[0].what == Merged::What::updated);
  const auto run = Reader(copy).run(first);
  CHECK(*run.metrics.at("val.auc").max == 0.95);
  CHECK(run.attempts == 2);
  CHECK(run.tags == std::vector<std::string>{"breakhis", "mine", "paper"});
  CHECK(merge(copy, path)[0].what == Merged::What::same);
}

TEST_CASE("looks at a test part are counted over the merged runs") {
  TemporaryFolder folder;
  make_run(folder / "a/bcx.db", "a", 0.9);
  make_run(folder / "b/bcx.db", "b", 0.8);
  merge(folder / "a/bcx.db", folder / "b/bcx.db");
  const Reader reader(folder / "a/bcx.db");
  CHECK(reader.evaluations(reader.find("a").id)[0].look == 1);
  CHECK(reader.evaluations(reader.find("b").id)[0].look == 2);
}

TEST_CASE("a hostile file stays inside the tracker's folder") {
  TemporaryFolder folder;
  const auto path = folder / "a/bcx.db";
  const auto id = make_run(path, "evil", 0.9);
  export_runs(path, {id}, folder / "evil.bcxrun", true);
  const auto target = folder / "b/bcx.db";
  SECTION("a packed file above it") {
    Database(folder / "evil.bcxrun", Database::Mode::write)
        .execute("UPDATE packed_file SET path='../../../evil' WHERE path='report.html'");
    CHECK_THROWS_WITH(merge(target, folder / "evil.bcxrun"),
                      (folder / "evil.bcxrun").string() +
                          ": the packed file \"../../../evil\" is damaged; export it again");
  }
  SECTION("a row that leads elsewhere") {
    Database(folder / "evil.bcxrun", Database::Mode::write)
        .execute("UPDATE artifact SET path='../../etc/passwd'");
    CHECK_THROWS_WITH(merge(target, folder / "evil.bcxrun"),
                      (folder / "evil.bcxrun").string() +
                          ": a run of this file has a path that leads elsewhere: "
                          "\"../../etc/passwd\"; do not trust this file");
  }
  SECTION("a piece that was changed") {
    Database(folder / "evil.bcxrun", Database::Mode::write)
        .execute("UPDATE packed_piece SET data=x'00' WHERE number=0");
    CHECK_THROWS(merge(target, folder / "evil.bcxrun"));
  }
  CHECK(Reader(target).run_count() == 0);
  collect_garbage(target, true);
  for (const auto& entry : fs::directory_iterator(folder / "b")) CHECK(entry.is_regular_file());
}

TEST_CASE("artifacts of a finished run are replaced below a prefix, rows and files") {
  TemporaryFolder folder;
  const auto path = folder / "bcx.db";
  const auto id = make_run(path, "explained", 0.9);
  const auto before = Reader(path).artifacts(id).size();
  const auto explain = [&](const std::vector<std::string>& names) {
    Editor(path).replace_artifacts(id, "explain/", [&](const fs::path& run) {
      std::vector<ArtifactRow> rows;
      for (const auto& name : names) {
        write(run / "explain" / name, name);
        rows.push_back({"explain/" + name, "explain", "", std::ssize(name), "5a"});
      }
      return rows;
    });
  };
  explain({"a.png", "b.png"});
  explain({"b.png", "c.png"});
  const auto artifacts = Reader(path).artifacts(id);
  REQUIRE(artifacts.size() == before + 2);
  const auto run = Reader(path).run(id);
  std::vector<std::string> names;
  for (const auto& one : artifacts)
    if (one.kind == "explain") {
      names.push_back(one.name);
      CHECK(one.path == run.folder + "/" + one.name);
      CHECK(fs::exists(folder / one.path));
    }
  CHECK(names == std::vector<std::string>{"explain/b.png", "explain/c.png"});
  CHECK_FALSE(fs::exists(folder / run.folder / "explain/a.png"));
}

TEST_CASE("artifacts of a run that is alive are not replaced") {
  TemporaryFolder folder;
  const auto path = folder / "bcx.db";
  const auto writer = RunWriter::create(path, description("alive"));
  Editor editor(path);
  bool made = false;
  std::string said;
  try {
    editor.replace_artifacts(writer->id(), "explain/", [&](const fs::path&) {
      made = true;
      return std::vector<ArtifactRow>{};
    });
  } catch (const bcx::Error& error) {
    said = error.what();
  }
  CHECK_FALSE(made);
  CHECK(said ==
        "alive is still running; wait for its end, or write the files elsewhere with --out");
}
