// Any text as a filter over runs: SQL that SQLite takes, or an error that points at the text.
#include "tests/fuzz/fuzz.h"
#include "tracker/reader.h"
#include "tracker/run_writer.h"

using namespace bcx;

namespace {
const tracker::Reader& small_tracker() {
  static const fuzz::Folder folder;
  static const tracker::Reader reader = [] {
    const auto path = folder.path() / "bcx.db";
    tracker::RunDescription run;
    run.name = "a";
    run.params = {{"optimizer.learning_rate", 1e-4, false, "default"},
                  {"optimizer.name", std::string("adam"), false, "default"}};
    tracker::RunWriter::create(path, run)->epoch_metrics(1, 1, {{"val.auc", 0.5}, {"val.loss", 1}});
    return tracker::Reader(path);
  }();
  return reader;
}
}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  tracker::RunQuery query;
  query.filter = fuzz::text_of(data, size);
  fuzz::take_or_refuse(
      [&] {
        try {
          small_tracker().runs(query);
        } catch (const Error& error) {
          fuzz::require(error.code() == ExitCode::usage, error.what());
          throw;
        }
      },
      fuzz::Lines::several);
  return 0;
}
