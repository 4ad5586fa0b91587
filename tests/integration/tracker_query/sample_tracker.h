// A small tracker with everything that queries ask for: runs, curves, predictions.
#pragma once

#include <cstring>

#include "small_tracker.h"
#include "tests/process.h"
#include "tracker/host.h"

namespace bcx::test {

inline void fill_sample_tracker(const std::filesystem::path& path) {
  SmallTracker tracker(path);
  auto& db = tracker.database;
  db.execute(
      "INSERT INTO dataset VALUES "
      "(1,'d1','folders','/data','[\"benign\",\"malignant\"]',1,'case',4,0);"
      "INSERT INTO split VALUES (1,'s1',1,'holdout','case',0,0,'[]',0),"
      "(2,'s2',1,'kfold','case',1,5,'[]',0);");
  for (int i = 0; i < 4; ++i)
    db.cached("INSERT INTO sample VALUES (1,?,?,?,?,?,'{}')")
        .run(i, i, fmt::format("{}.png", i), i % 2, fmt::format("p{}", i % 2 + i / 3));
  const double rates[] = {1e-3, 1e-3, 1e-4};
  for (int i = 0; i < 3; ++i) {
    SmallRun run;
    run.name = fmt::format("densenet201-{}", i);
    run.status = i == 2 ? "running" : "finished";  // of which nobody has the lock
    run.started = tracker::now_microseconds() - (3 - i) * 3'600'000'000;
    run.seed = i;
    run.tags = {i == 0 ? "paper" : "draft"};
    run.params = {{"optimizer.learning_rate", {"float", rates[i]}},
                  {"train.batch_size", {"int", std::int64_t{16}}},
                  {"optimizer.name", {"string", std::string(i == 2 ? "sgd" : "adam")}}};
    run.metrics = {{"val.auc", 0.75 + i * 0.125, 0.7, 1.0 - i * 0.125},
                   {"val.loss", 0.5 - i * 0.1, 0.3, 0.9},
                   {"train.loss", 0.2, 0.1, 0.8}};
    const auto row = tracker.add(run);
    db.cached("UPDATE run SET experiment='densenet201', dataset=1, split=?2 WHERE id=?1")
        .run(row, i == 2 ? 2 : 1);
    db.cached("INSERT INTO plugin VALUES (?,'optimizer','adam','0.1.0',?,'adam.bcx.so')")
        .run(row, i == 1 ? "b02d" : "b01d");
    db.cached("INSERT INTO system VALUES (?,1,'gpu','none')").run(row);
    for (int step = 1; step <= 5; ++step)
      db.cached("INSERT INTO metric VALUES (?,1,?,1,?,?,0)").run(row, step, step * 1.0, 0.1 * step);
    db.cached(
          "INSERT INTO evaluation VALUES "
          "(?1,?1,1,0,1,4,5,'',1,1,'validation','final',1,'fp32','0.5',"
          "0.5,1,4,2,NULL)")
        .run(row);
    for (int s = 0; s < 4; ++s) {
      const float logits[] = {0.0F, static_cast<float>(s % 2 == 0 && s < 2 ? 1 : s - 1.5)};
      db.cached("INSERT INTO prediction VALUES (?,?,?)")
          .run(row, s, std::as_bytes(std::span(logits)));
    }
  }
}

inline Outcome shell(const std::string& command, const TemporaryFolder& folder) {
  const auto bin = (build_dir() / "bin").string();
  return run_process(
      {"/bin/sh", "-c",
       "PATH='" + bin + "':$PATH COLUMNS=120 TZ=UTC BCX_TRACKER='" + (folder / "bcx.db").string() +
           "'; export PATH COLUMNS TZ BCX_TRACKER\n" + command},
      folder.path());
}

}  // namespace bcx::test
