// `bcx data audit` of file names alone: what BreakHis's published folds do to patients.
#include <fstream>
#include <nlohmann/json.hpp>

#include "data/listing.h"
#include "data_tables.h"
#include "tests/catch.h"
#include "tests/process.h"

using namespace bcx;
using test::Outcome;

namespace {

struct Lists {
  Outcome audit(const std::string& text, std::vector<std::string> more = {}) {
    std::ofstream(folder / "names.txt") << text;
    std::vector<std::string> arguments{(test::build_dir() / "bin/bcx").string(), "data", "audit",
                                       "names.txt"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return test::run_process(arguments, folder.path(), folder.path());
  }
  test::TemporaryFolder folder;
};

/// The 82 folders, one image each, as a fold file would name them: every fourth folder tests, and
/// of slide 14-13412 what is filed under LC tests and what is filed under DC trains.
std::string published_fold() {
  std::string text;
  int number = 0;
  for (const auto& name : test::breakhis_folders()) {
    const bool slide = name.number == "13412";
    const bool tests = slide ? name.type == "LC" : ++number % 4 == 0;
    text += name.file_name() + "|100|1|" + (tests ? "test" : "train") + "\n";
  }
  return text;
}

}  // namespace

TEST_CASE("a published fold is found to train and test on slide 14-13412, by names alone") {
  Lists lists;
  const auto told = lists.audit(published_fold());
  INFO(told.out);
  CHECK(told.code == 3);
  CHECK(told.out.find("note: slide 14-13412 is filed under DC and LC\n") != std::string::npos);
  CHECK(told.err.find("\"slide\" in more than one part (14-13412: 1 train, 1 test)") !=
        std::string::npos);
  CHECK(told.err.find("\"case\" in more than one part (") != std::string::npos);

  const auto outcome = lists.audit(published_fold(), {"--json"});
  CHECK(outcome.code == 3);
  const auto json = nlohmann::json::parse(outcome.out);
  CHECK(json["images"] == 82);
  CHECK(json["split"]["method"] == "files");
  CHECK(json["findings"][0]["key"] == "case");
  CHECK(json["findings"][0]["count"].get<int>() > 1);
}

TEST_CASE("names without parts are split by case, which is clean") {
  Lists lists;
  std::string text = "\n";
  for (const auto& name : test::breakhis_folders())
    text += "BreaKHis_v1/" + name.relative_path() + "\n";
  const auto told = lists.audit(text);
  INFO(told.err);
  CHECK(told.code == 0);
  CHECK(told.out.find("note: slide 14-13412 is filed under DC and LC\n") != std::string::npos);
  CHECK(told.out.find(
            "82 names compared by case, patient, slide; no image was read: nothing found\n") !=
        std::string::npos);
}

TEST_CASE("lists that are none") {
  Lists lists;
  CHECK(lists.audit("SOB_M_DC-14-2523-100-001.png\ncat.png\n").err ==
        "error: names.txt:2: not a BreakHis file name; expected the like of "
        "SOB_B_A-14-22549AB-100-001.png, or a line of a fold file\n");
  CHECK(lists.audit("SOB_M_DC-14-2523-100-001.png\nx/SOB_M_DC-14-2523-100-001.png\n").err ==
        "error: names.txt:2: SOB_M_DC-14-2523-100-001.png is listed twice\n");
  CHECK(lists.audit("\n").err == "error: names.txt: lists no image\n");
}
