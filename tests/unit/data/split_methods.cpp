#include <map>
#include <set>

#include "data/scan.h"
#include "data/split.h"
#include "data_tables.h"
#include "tests/catch.h"

using namespace bcx;
using namespace bcx::data;

namespace {

config::SplitConfig method(const std::string& name, std::int64_t fold = 0) {
  config::SplitConfig config;
  config.method = name;
  config.fold = fold;
  return config;
}

std::string error_of(const SampleTable& table, const config::SplitConfig& config) {
  return test::error_of([&] { test::seeded_split(table, config, 42); });
}

// A table of BreakHis names, and fold files for it.
struct FoldFiles {
  FoldFiles() {
    table.classes = {"benign", "malignant"};
    table.attribute_names = {"case", "slide", "patient"};
    for (int p = 0; p < 20; ++p) {
      for (int i = 1; i <= 3; ++i) {
        const auto name =
            test::breakhis_name(p % 2 != 0, p % 2 ? "DC" : "A", std::to_string(100 + p), "", i);
        table.samples.push_back(test::sample(name.relative_path(), p % 2,
                                             {name.case_id(), name.slide(), name.patient()}));
        lines.push_back(name.file_name() + "|100|1|" + (p < 14 ? "train" : "test"));
      }
    }
    config = method("files");
    config.files = {file};
  }
  void write() const {
    std::string text;
    for (const auto& line : lines) text += line + "\n";
    test::touch(file, text);
  }
  std::string error() const {
    write();
    auto text = error_of(table, config);
    for (auto at = text.find(file.string()); at != std::string::npos;
         at = text.find(file.string())) {
      text.replace(at, file.string().size(), "FILE");
    }
    return text;
  }
  test::TemporaryFolder folder;
  std::filesystem::path file = folder / "dsfold1.txt";
  SampleTable table;
  std::vector<std::string> lines;
  config::SplitConfig config;
};

}  // namespace

TEST_CASE("each image tests in exactly one fold of each repeat") {
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    const auto table = test::random_table(seed);
    auto config = method("repeated");
    config.repeats = 3;
    REQUIRE(number_of_folds(table, config) == 15);
    std::vector<std::vector<int>> tested(3, std::vector<int>(table.samples.size(), 0));
    std::set<std::string> first_parts;
    for (config.fold = 0; config.fold < 15; ++config.fold) {
      const auto split = test::seeded_split(table, config, seed);
      CHECK(split.folds == 15);
      for (const auto i : split.indexes(Part::test)) {
        ++tested[static_cast<std::size_t>(config.fold / 5)][static_cast<std::size_t>(i)];
      }
    }
    for (const auto& repeat : tested) {
      REQUIRE(std::all_of(repeat.begin(), repeat.end(), [](int count) { return count == 1; }));
    }
    // Repeat 0 is what kfold makes.
    config = method("repeated", 2);
    CHECK(test::seeded_split(table, config, seed).parts ==
          test::seeded_split(table, method("kfold", 2), seed).parts);
  }
}

TEST_CASE("five benign cases of very different size make five folds") {
  // What the shared BreakHis sample holds.
  const auto table = test::table_of({{"21998", 0, 72},
                                     {"22549", 0, 57},
                                     {"29960", 0, 23},
                                     {"3411", 0, 16},
                                     {"23060", 0, 10},
                                     {"m1", 1, 20},
                                     {"m2", 1, 12},
                                     {"m3", 1, 30},
                                     {"m4", 1, 14},
                                     {"m5", 1, 28},
                                     {"m6", 1, 9},
                                     {"m7", 1, 40},
                                     {"m8", 1, 21}});
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    for (std::int64_t fold = 0; fold < 5; ++fold) {
      const auto split = test::seeded_split(table, method("kfold", fold), seed);
      CHECK(split.groups[0][static_cast<std::size_t>(Part::test)] == 1);
      CHECK(split.groups[0][static_cast<std::size_t>(Part::validation)] >= 1);
      CHECK(split.groups[0][static_cast<std::size_t>(Part::train)] >= 2);
      CHECK(split.groups[1][static_cast<std::size_t>(Part::test)] >= 1);
    }
  }
  auto config = method("kfold");
  config.folds = 6;
  CHECK(error_of(table, config) ==
        "data.split.folds: class \"class0\" has 5 groups by \"case\", too few for 6 folds; use at "
        "most 5");
  config.stratify = false;
  CHECK(error_of(table, config) == "");
  config.folds = 14;
  CHECK(error_of(table, config) ==
        "data.split.folds: 13 groups by \"case\", too few for 14 folds; use at most 13");
}

TEST_CASE("folds that do not exist") {
  const auto table = test::random_table(1);
  CHECK(error_of(table, method("kfold", 5)) == "data.split.fold: there is no fold 5; use 0 to 4");
  CHECK(error_of(table, method("holdout", 1)) ==
        "data.split.fold: there is no fold 1: method \"holdout\" makes one split; use 0");
  CHECK(error_of(table, method("other")) ==
        "data.split.method: no split method \"other\"; use one of holdout, kfold, repeated, "
        "leave_one_group_out, files");
}

TEST_CASE("leave one group out takes the groups in order") {
  const auto table =
      test::table_of({{"a", 0, 3}, {"b", 0, 2}, {"c", 1, 4}, {"d", 1, 1}, {"e", 0, 2}});
  auto config = method("leave_one_group_out");
  REQUIRE(number_of_folds(table, config) == 5);
  for (config.fold = 0; config.fold < 5; ++config.fold) {
    const auto split = test::seeded_split(table, config, 1);
    std::set<std::string> tested;
    for (const auto i : split.indexes(Part::test)) {
      tested.insert(table.samples[static_cast<std::size_t>(i)].attributes[0]);
    }
    CHECK(tested == std::set<std::string>{std::string(1, static_cast<char>('a' + config.fold))});
  }
}

TEST_CASE("a published fold file says train and test") {
  FoldFiles files;
  files.write();
  const auto split = test::seeded_split(files.table, files.config, 42);
  CHECK(split.indexes(Part::test).size() == 18);
  CHECK(split.method == "files");
  CHECK(split.stamps.empty());
  CHECK(split.indexes(Part::validation).size() > 0);
  CHECK(split.indexes(Part::validation).size() < 15);
  files.config.validation = 0;
  CHECK(test::seeded_split(files.table, files.config, 42).indexes(Part::train).size() == 42);
}

TEST_CASE("the published split of slide 14-13412 leaks") {
  FoldFiles files;
  for (const auto& [type, part] : {std::pair{"DC", "train"}, std::pair{"LC", "test"}}) {
    const auto name = test::breakhis_name(true, type, "13412", "");
    files.table.samples.push_back(
        test::sample(name.relative_path(), 1, {name.case_id(), name.slide(), name.patient()}));
    files.lines.push_back(name.file_name() + "|100|1|" + part);
  }
  files.write();
  CHECK(test::seeded_split(files.table, files.config, 42).stamps ==
        std::vector<std::string>{"LEAKY"});
}

TEST_CASE("images that a fold file does not name, and the other way round") {
  FoldFiles files;
  files.lines.erase(files.lines.begin(), files.lines.begin() + 6);
  files.lines.push_back("SOB_B_A-14-9-100-001.png|100|1|train");
  files.write();
  const auto split = test::seeded_split(files.table, files.config, 42);
  CHECK(split.indexes(Part::unused).size() == 6);
  CHECK(split.warnings ==
        std::vector<std::string>{
            files.file.string() + ": 1 of its 55 images are not in this data",
            files.file.string() + ": does not name 6 of the images, which stay unused"});
}

TEST_CASE("bad fold files") {
  FoldFiles files;
  auto good = files.lines;
  files.lines[0] = "SOB_B_A-14-100-100-001.png,100,1,train";
  files.lines[1].replace(files.lines[1].find("|1|"), 3, "|2|");
  files.lines[2] = files.lines[3];
  files.lines[2].replace(files.lines[2].rfind("train"), 5, "test");
  CHECK(files.error() ==
        "FILE:1: not a line of a fold file; expected the like of "
        "SOB_B_A-14-22549AB-100-001.png|100|1|train\n"
        "FILE:3: fold 1 in a file of fold 2; one file holds one fold\n" +
            [&] {
              std::string rest;
              for (std::size_t i = 4; i <= 21; ++i) {
                rest += fmt::format(
                    "FILE:{}: fold 1 in a file of fold 2; one file holds one fold\n", i);
              }
              return rest;
            }() +
            "39 more like these");
  files.lines = good;
  files.lines.push_back(good[0].substr(0, good[0].rfind('|')) + "|test");
  CHECK(files.error() == "FILE:61: SOB_B_A-14-100-100-001.png is named for train and for test");
  files.lines = {"SOB_B_A-14-9-100-001.png|100|1|train"};
  CHECK(files.error() ==
        "FILE: names none of these images for train; check data.root and data.magnifications");
  files.config.files.clear();
  CHECK(error_of(files.table, files.config) ==
        "data.split.files: method \"files\" without a file; name the published fold files: files = "
        "[\"dsfold1.txt\"]");
}

TEST_CASE("the data's own parts stand") {
  SampleTable table = test::table_of(
      {{"a", 0, 4}, {"b", 1, 4}, {"c", 0, 4}, {"d", 1, 4}, {"e", 0, 4}, {"f", 1, 4}});
  table.attribute_names = {"case", "part"};
  for (auto& sample : table.samples) {
    const char group = sample.attributes[0][0];
    sample.attributes.push_back(group <= 'd' ? "train" : "test");
  }
  auto split = test::seeded_split(table, method("holdout"), 1);
  CHECK(split.method == "fixed");
  CHECK(split.indexes(Part::test).size() == 8);
  CHECK(split.indexes(Part::validation).size() == 8);  // drawn from train, by group
  CHECK(split.stamps.empty());

  for (auto& sample : table.samples) {
    if (sample.relative.ends_with("3.png")) sample.attributes[1] = "validation";
  }
  split = test::seeded_split(table, method("holdout"), 1);
  CHECK(split.indexes(Part::validation).size() == 6);
  CHECK(split.stamps == std::vector<std::string>{"LEAKY"});
  CHECK(
      error_of(table, method("kfold")) ==
      "data.split.method: the data says its own parts, which method \"kfold\" would overrule; use "
      "method = \"holdout\", or give the data without parts");
  for (auto& sample : table.samples) sample.attributes[1] = "test";
  CHECK(error_of(table, method("holdout")) ==
        "data.root: the data's own parts leave nothing to train on; add a train folder, or rows "
        "with part = train");
}

TEST_CASE("the shared BreakHis sample splits into five folds by case") {
  BCX_NEEDS_SHARED("data/BreaKHis_v1");
  config::DataConfig data;
  data.root = test::shared_dir() / "data/BreaKHis_v1";
  const auto table = scan(data);
  for (std::int64_t fold = 0; fold < 5; ++fold) {
    const auto split = test::seeded_split(table, method("kfold", fold), 42, "case");
    CHECK(split.stamps.empty());
    CHECK(split.groups[0][static_cast<std::size_t>(Part::test)] == 1);
  }
}
