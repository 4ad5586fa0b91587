// Any bytes as a tracker's database: everything that is shown of a run is read, and it is opened
// for writing.
#include "tests/fuzz/fuzz.h"
#include "tracker/reader.h"
#include "tracker/schema.h"
#include "tracker/sql_query.h"

using namespace bcx;

namespace {

void read_all(const std::filesystem::path& path) {
  const tracker::Reader reader(path);
  for (const auto& run : reader.runs({.limit = 5, .all_keys = true})) {
    fuzz::take_or_refuse([&] {
      reader.attempts(run.id);
      reader.events(run.id);
      reader.checkpoints(run.id);
      reader.plugins(run.id);
      reader.artifacts(run.id);
      reader.system(run.id);
      reader.split(run.id);
      reader.split_samples(run.id);
      reader.curves(run.id);
      for (const auto& key : reader.metric_keys(run.id)) {
        reader.series(run.id, key);
        reader.overview(run.id, key, 20);
      }
      for (const auto& evaluation : reader.evaluations(run.id)) reader.predictions(evaluation.id);
    });
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const fuzz::Folder folder;
  const auto path = folder.path() / "bcx.db";
  for (const char* suffix : {"-wal", "-shm", "-lock"})
    std::filesystem::remove(path.string() + suffix);
  folder.write("bcx.db", fuzz::text_of(data, size));
  fuzz::take_or_refuse([&] { read_all(path); });
  fuzz::take_or_refuse([&] { tracker::run_sql(path, "SELECT * FROM v_run", {.seconds = 1}); });
  fuzz::take_or_refuse([&] { tracker::close_after_writing(tracker::open_for_writing(path)); });
  return 0;
}
