// Stored runs with pictures for the tests of `bcx report`.
#pragma once

#include "base/philox.h"
#include "data/images.h"
#include "description.h"
#include "tests/catch.h"
#include "tests/process.h"

namespace bcx::test {

/// What a stored run should be like.
struct MadeRun {
  std::string name;
  double strength = 2.0;  ///< how well the scores tell the classes apart
  int from = 0;           ///< patients below are not in the test part
  std::string stamp = {};
  std::vector<std::string> classes = {"benign", "malignant"};
  std::string notes = {}, sample_prefix = {};
  std::string source = "folders";
  int to = 20;              ///< nor are patients from here on
  std::string parent = {};  ///< the run that it is a fold of
  std::int64_t fold = 0;
};

/// 20 patients of 5 images, every one a small picture on the disk.
class ReportRuns {
 public:
  static constexpr int patients = 20, images = 5;

  ReportRuns() {
    std::filesystem::create_directories(folder_ / "images");
    for (int i = 0; i < patients * images; ++i) {
      data::Image picture(24, 32, static_cast<std::uint8_t>(60 + i));
      data::write_png(folder_ / "images" / ("i" + std::to_string(i) + ".png"), picture.view());
    }
  }

  const std::filesystem::path& folder() const { return folder_.path(); }
  std::filesystem::path database() const { return folder_ / "bcx.db"; }

  std::string add(const MadeRun& made, const std::vector<tracker::ArtifactRow>& artifacts = {}) {
    auto about = description(made.name);
    about.notes = made.notes;
    if (!made.parent.empty()) {
      about.parent = made.parent;
      about.params.push_back({"data.split.fold", made.fold, false, "--folds"});
    }
    auto run = tracker::RunWriter::create(database(), about);
    std::vector<tracker::SampleRow> samples;
    std::vector<tracker::SplitMember> members;
    std::vector<std::uint64_t> ids;
    std::vector<float> logits;
    const Stream stream(1, made.name);
    const int classes = static_cast<int>(made.classes.size());
    for (int p = 0; p < patients; ++p)
      for (int i = 0; i < images; ++i) {
        const int number = p * images + i, target = p % classes;
        const auto id = static_cast<std::uint64_t>(number + 1);
        samples.push_back({id,
                           made.sample_prefix + "i" + std::to_string(number) + ".png",
                           target,
                           "p" + std::to_string(p),
                           {{"magnification", i % 2 == 0 ? "40" : "100"}}});
        members.push_back({id, p < made.from || p >= made.to ? "train" : "test"});
        if (p < made.from || p >= made.to) continue;
        ids.push_back(id);
        for (int c = 0; c < classes; ++c)
          logits.push_back(static_cast<float>(made.strength * (target == c ? 0.5 : -0.5) +
                                              stream.normal(id * 8 + static_cast<unsigned>(c))));
      }
    run->dataset(
        {"d" + made.name, made.source, (folder_ / "images").string(), made.classes, 1, "case"},
        samples);
    run->split({"s" + made.name, "d" + made.name, "holdout", "case", 0, 0, "[]"}, members);
    for (int epoch = 1; epoch <= 5; ++epoch)
      run->epoch_metrics(epoch, 10 * epoch,
                         {{"train.loss", 1.0 / epoch},
                          {"val.loss", 1.1 / epoch},
                          {"val.accuracy", 1 - 0.3 / epoch},
                          {"val.auc", 1 - 0.2 / epoch},
                          {"learning_rate", 1e-3}});
    tracker::EvaluationRow row;
    row.part = "test";
    row.purpose = "final";
    row.threshold = "0.5";
    if (classes == 2) row.threshold_value = 0.5;
    run->evaluation(row, ids, logits);
    if (!made.stamp.empty()) run->stamp(made.stamp, "2 groups are on both sides");
    for (auto artifact : artifacts) {
      artifact.path = (run->folder() / artifact.path).string();
      run->artifact(artifact);
    }
    run->finish(tracker::Status::finished, "");
    return run->id();
  }

  Outcome bcx(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), (build_dir() / "bin/bcx").string());
    arguments.insert(arguments.end(), {"--tracker", database().string()});
    return run_process(std::move(arguments), folder_.path(), folder_.path());
  }

  /// The page of the runs.
  std::string page(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), "report");
    arguments.insert(arguments.end(), {"--out", "page.html", "--bootstrap", "200"});
    const auto outcome = bcx(std::move(arguments));
    INFO(outcome.err);
    REQUIRE(outcome.code == 0);
    return slurp(folder_ / "page.html");
  }

 private:
  TemporaryFolder folder_;
};

inline bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

inline std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size()))
    ++count;
  return count;
}

}  // namespace bcx::test
