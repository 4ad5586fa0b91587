// Any bytes as an MLflow store: imported into a fresh tracker that can be read.
#include "tests/fuzz/fuzz.h"
#include "tracker/import.h"
#include "tracker/reader.h"

using namespace bcx;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const fuzz::Folder folder;
  const auto store = folder.write("mlflow.db", fuzz::text_of(data, size));
  const auto database = folder.path() / "bcx.db";
  for (const char* suffix : {"", "-wal", "-shm", "-lock"})
    std::filesystem::remove(database.string() + suffix);
  fuzz::take_or_refuse([&] {
    tracker::import_mlflow(database, store);
    tracker::Reader(database).runs({.all_keys = true});
  });
  return 0;
}
