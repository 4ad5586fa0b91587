#include "tracker/import_staging.h"

#include <algorithm>

#include "base/hash.h"
#include "base/text.h"
#include "tracker/run_store.h"
#include "tracker/schema.h"

namespace bcx::tracker {
namespace {

namespace fs = std::filesystem;

Database open_staging(const fs::path& path) {
  Database database(path, Database::Mode::write);
  database.execute("PRAGMA synchronous=OFF");  // it does not outlive this process
  migrate(database, migrations());
  return database;
}

}  // namespace

std::string uuid_of(const std::string& text) {
  auto hex = sha256_hex(text).substr(0, 32);
  hex[12] = '8';
  hex[16] = "89ab"[(hex[16] >= 'a' ? hex[16] - 'a' + 10 : hex[16] - '0') & 3];
  for (const int at : {8, 13, 18, 23}) hex.insert(static_cast<std::size_t>(at), "-");
  return hex;
}

std::string metric_name(const std::string& name) {
  constexpr std::string_view marks = "._-#/:@+%";
  std::string out;
  for (const char c : name.substr(0, 200)) {
    const auto code = static_cast<unsigned char>(c);
    out += code < 128 && (std::isalnum(code) || marks.find(c) != marks.npos) ? c : '_';
  }
  return out.empty() ? "_" : out;
}

void Staging::add(const ImportedRun& run) {
  auto store = RunStore::insert(open_staging(folder_ / "import.db"), run.description, run.id,
                                folder_name(run.description.name, run.id.substr(28)));
  auto& database = store.database();
  Transaction transaction(database);
  std::vector<std::string> names;
  std::vector<MetricEntry> entries;
  std::int64_t last = std::max(run.started, run.ended);
  for (const auto& [name, points] : run.metrics) {
    for (const auto& [step, point] : points) {
      entries.push_back(
          {static_cast<std::uint32_t>(names.size()), step, point.epoch, point.value, point.time});
      last = std::max(last, point.time);
    }
    names.push_back(name);
  }
  store.metrics(entries, names);
  store.finish(run.status, run.exit_reason);
  database
      .cached(
          "UPDATE run SET started=?2, updated=?3, ended=?4, parent=(SELECT id FROM run WHERE "
          "uuid=?5) WHERE uuid=?1")
      .run(run.id, run.started, last, std::max(run.started, run.ended), run.parent);
  database
      .cached(
          "UPDATE attempt SET started=?2, ended=?3, host=?4, boot_id='', pid=0, start_ticks=0 "
          "WHERE run=(SELECT id FROM run WHERE uuid=?1)")
      .run(run.id, run.started, std::max(run.started, run.ended), run.host);
  transaction.commit();
}

std::vector<Merged> Staging::merge_into(const fs::path& database) {
  return merge(database, folder_ / "import.db");
}

}  // namespace bcx::tracker
