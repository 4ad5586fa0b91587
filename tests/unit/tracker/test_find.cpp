// Lists of runs, and naming one of them.
#include "base/error.h"
#include "description.h"
#include "tests/catch.h"
#include "tracker/reader.h"
#include "tracker/run_writer.h"

using namespace bcx::tracker;
using bcx::test::description;
using bcx::test::TemporaryFolder;

namespace {

struct ThreeRuns {
  ThreeRuns() {
    add("alpha", 0.8, 0.5, 1e-4);
    add("beta", 0.9, 0.3, 1e-2);
    add("alpha", 0.7, 0.4, 1e-3);
  }
  void add(const char* name, double auc, double loss, double rate) {
    auto run = description(name);
    run.params[1].value = rate;
    auto writer = RunWriter::create(path, run);
    writer->epoch_metrics(1, 10, {{"val.auc", auc}, {"val.loss", loss}, {"test.auc", auc - 0.1}});
    if (ids.size() == 1) writer->epoch_metrics(2, 20, {{"train.accuracy", 1.0}});
    writer->finish(Status::finished, "");
    ids.push_back(writer->id());
  }
  std::vector<std::string> sorted(const char* sort, std::int64_t limit = 0) {
    std::vector<std::string> out;
    for (const auto& run : Reader(path).runs({sort, limit, false, {}})) out.push_back(run.id);
    return out;
  }
  TemporaryFolder folder;
  std::filesystem::path path = folder / "bcx.db";
  std::vector<std::string> ids;
};

}  // namespace

TEST_CASE("runs are listed newest first, and sorted best first") {
  ThreeRuns t;
  const auto &a = t.ids[0], &b = t.ids[1], &c = t.ids[2];
  using Ids = std::vector<std::string>;
  CHECK(t.sorted("") == Ids{c, b, a});
  CHECK(t.sorted("", 2) == Ids{c, b});
  CHECK(t.sorted("val.auc") == Ids{b, a, c});
  CHECK(t.sorted("-val.auc") == Ids{c, a, b});
  CHECK(t.sorted("val.loss") == Ids{b, c, a});
  CHECK(t.sorted("loss") == Ids{b, c, a});  // its last part, as only one key ends in it
  CHECK(t.sorted("learning_rate") == Ids{a, c, b});
  CHECK(t.sorted("accuracy") == Ids{b, c, a});  // runs without a value last
  CHECK(t.sorted("-accuracy") == Ids{b, c, a});
  CHECK(t.sorted("name") == Ids{c, a, b});
  CHECK_THROWS_WITH(t.sorted("auc"),
                    "\"auc\" may be several keys: test.auc, val.auc; write it in full");
  CHECK_THROWS_WITH(
      t.sorted("val.acu"),
      "no run has a column, parameter or metric \"val.acu\"; did you mean \"val.auc\"?");
}

TEST_CASE("a list holds the keys that were asked for") {
  ThreeRuns t;
  const Reader reader(t.path);
  const auto some = reader.runs({"", 0, false, {"val.auc", "optimizer.name"}});
  REQUIRE(some.size() == 3);
  CHECK(some[0].metrics.size() == 1);
  CHECK(some[0].params.size() == 1);
  CHECK(reader.runs({"", 0, false, {}})[0].params.empty());
  CHECK(reader.runs({"", 0, true, {}})[0].params.size() == 5);
  CHECK(reader.run_count() == 3);
}

TEST_CASE("a run is named by @last, @best, its name, the beginning of its id") {
  ThreeRuns t;
  const Reader reader(t.path);
  CHECK(reader.find("@last").id == t.ids[2]);
  CHECK(reader.find("@best:val.auc").id == t.ids[1]);
  CHECK(reader.find("@best:loss").id == t.ids[1]);
  CHECK(reader.find("beta").id == t.ids[1]);
  CHECK(reader.find("alpha").id == t.ids[2]);
  CHECK(reader.find("alpha").same_name == 2);
  CHECK(reader.find(t.ids[0]).id == t.ids[0]);
  CHECK(reader.find(t.ids[0].substr(28)).id == t.ids[0]);  // the short id
  CHECK(reader.find(t.ids[0].substr(0, 30)).id == t.ids[0]);
}

TEST_CASE("what names no run, or several, is said with what is near") {
  ThreeRuns t;
  const Reader reader(t.path);
  const auto path = t.path.string();
  CHECK_THROWS_WITH(reader.find("alpa"),
                    path + ": no run has the id or name \"alpa\"; did you mean \"alpha\"?");
  CHECK_THROWS_WITH(
      reader.find("nothing like it"),
      path + ": no run has the id or name \"nothing like it\"; `bcx runs` lists them");
  CHECK_THROWS_WITH(reader.find("@first"),
                    path +
                        ": \"@first\" is no way to name a run; write @last, @best:KEY, a name or "
                        "the beginning of an id");
  CHECK_THROWS_WITH(
      reader.find("@best:optimizer.name"),
      path + ": \"optimizer.name\" is no metric; @best: wants one, such as @best:val.auc");
  try {
    reader.find(t.ids[0].substr(0, 6));
    FAIL("three ids begin like that");
  } catch (const bcx::Error& error) {
    CHECK(error.code() == bcx::ExitCode::usage);
    CHECK(error.parts().what == "\"" + t.ids[0].substr(0, 6) + "\" begins 3 ids");
    CHECK(error.parts().remedy == "one of " + t.ids[2].substr(28) + ", " + t.ids[1].substr(28) +
                                      ", " + t.ids[0].substr(28) + "?");
  }
}
