#include <fstream>
#include <iterator>

#include "tests/fake_callback_context.h"
#include "tests/plugin_entry.h"

namespace {

using bcx::test::FakeCallbackContext;

std::unique_ptr<bcx::sdk::Callback> make(const std::string& file = "metrics.csv") {
  return bcx::test::component("csv_log", "csv_log").callback(bcx::sdk::Params({{"file", file}}));
}

std::string content(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// A run's attempt in `folder` that starts at `first` and plays these epochs.
void attempt(const std::filesystem::path& folder, std::int64_t first,
             const std::vector<bcx::sdk::Metrics>& epochs) {
  FakeCallbackContext context;
  context.folder = folder;
  context.now = first;
  context.steps = first * 10;
  const auto callback = make();
  callback->on_run_begin(context);
  for (const auto& metrics : epochs) context.play(*callback, metrics);
}

}  // namespace

TEST_CASE("csv_log writes a row an epoch, and a column for a metric that appears later") {
  const bcx::test::TemporaryFolder folder;
  attempt(folder.path(), 0,
          {{{"train.loss", 0.1}, {"val.accuracy", 0.5}},
           {{"train.loss", 1e-9}},
           {{"a,\"b\"", 1.0 / 3}, {"train.loss", 2}, {"val.accuracy", 1}}});
  CHECK(content(folder / "metrics.csv") ==
        "epoch,step,train.loss,val.accuracy,a__b_\n"
        "1,10,0.1,0.5,\n"
        "2,20,1e-09,,\n"
        "3,30,2,1,0.3333333333333333\n");
}

TEST_CASE("csv_log of a resumed run holds each epoch once") {
  const bcx::test::TemporaryFolder folder;
  attempt(folder.path(), 0, {{{"loss", 1}}, {{"loss", 2}}, {{"loss", 3}, {"late", 5}}});
  std::ofstream(folder / "metrics.csv", std::ios::app) << "4,4";  // the process died here
  attempt(folder.path(), 2, {{{"loss", 7}}, {{"loss", 8}}});
  CHECK(content(folder / "metrics.csv") ==
        "epoch,step,loss,late\n1,10,1,\n2,20,2,\n3,30,7,\n4,40,8,\n");
}

TEST_CASE("csv_log starts afresh with the run, and without its file") {
  const bcx::test::TemporaryFolder folder;
  attempt(folder / "run", 3, {{{"loss", 1}}});
  CHECK(content(folder / "run/metrics.csv") == "epoch,step,loss\n4,40,1\n");
  attempt(folder / "run", 0, {{{"other", 1}}});
  CHECK(content(folder / "run/metrics.csv") == "epoch,step,other\n1,10,1\n");
}

TEST_CASE("csv_log names its file when it cannot be written") {
  const bcx::test::TemporaryFolder folder;
  std::filesystem::create_directories(folder / "metrics.csv.part");
  try {
    attempt(folder.path(), 0, {{{"loss", 1}}});
    FAIL("written");
  } catch (const std::runtime_error& error) {
    CHECK(std::string(error.what()) == "cannot write " + (folder / "metrics.csv.part").string());
  }
}

TEST_CASE("csv_log keeps to the run's folder") {
  for (const char* name : {"", "..", "../x.csv", "/tmp/x.csv"}) try {
      make(name);
      FAIL("accepted");
    } catch (const std::invalid_argument& error) {
      CHECK(std::string(error.what()) ==
            "file must be a plain file name: it goes to the folder of the run");
    }
}
