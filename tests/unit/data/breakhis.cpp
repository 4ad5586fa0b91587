#include "data/breakhis.h"

#include <chrono>
#include <regex>
#include <set>

#include "data_tables.h"
#include "tests/catch.h"

using namespace bcx;
using namespace bcx::data;

TEST_CASE("a BreakHis name says class, type, case, slide and patient") {
  const auto name = parse_breakhis_name("SOB_B_A-14-22549AB-100-001.png");
  REQUIRE(name);
  CHECK_FALSE(name->malignant);
  CHECK(name->type == "A");
  CHECK(name->year == "14");
  CHECK(name->case_id() == "14-22549");
  CHECK(name->slide() == "14-22549AB");
  CHECK(name->patient() == "SOB_B_A_14-22549AB");
  CHECK(name->magnification == "100");
  CHECK(name->sequence == "001");
  CHECK(name->file_name() == "SOB_B_A-14-22549AB-100-001.png");
  CHECK(name->relative_path() ==
        "histology_slides/breast/benign/SOB/adenosis/SOB_B_A_14-22549AB/100X/"
        "SOB_B_A-14-22549AB-100-001.png");
}

TEST_CASE("the name parser agrees with the published grammar") {
  const std::regex grammar(
      R"(^(SOB)_([BM])_(A|F|PT|TA|DC|LC|MC|PC)-(\d{2})-(\d+)([A-Z]*)-(40|100|200|400)-(\d{3})\.png$)");
  const std::vector<std::string> names{"SOB_B_A-14-22549AB-100-001.png",
                                       "SOB_M_DC-14-13412-400-018.png",
                                       "SOB_B_PT-14-21998AB-40-046.png",
                                       "SOB_B_TA-14-3411F-200-999.png",
                                       "SOB_B_A-14-22549AB-100-001.PNG",
                                       "SOB_B_A-14-22549AB-100-0001.png",
                                       "SOB_B_A-14-22549AB-100-01.png",
                                       "SOB_B_A-14-AB-100-001.png",
                                       "SOB_B_A-4-22549AB-100-001.png",
                                       "SOB_B_A-14-22549ab-100-001.png",
                                       "SOB_B_A-14-22549AB-50-001.png",
                                       "SOB_B_X-14-22549AB-100-001.png",
                                       "SOB_C_A-14-22549AB-100-001.png",
                                       " SOB_B_A-14-22549AB-100-001.png",
                                       "SOB_B_A-14-22549AB-100-001.png ",
                                       "SOB_B_A_14-22549AB-100-001.png",
                                       "SOB_B_A-14-22549AB1-100-001.png",
                                       "SOB_B_A-14-22549AB-100-001.pngx",
                                       "SOB_B_A-14-22549AB-100-001 (1).png",
                                       "",
                                       "SOB_",
                                       "SOB_B_A-14-22549AB-100-001"};
  for (const auto& name : names) {
    INFO(name);
    CHECK(parse_breakhis_name(name).has_value() == std::regex_match(name, grammar));
  }
  // Beyond the grammar: a type belongs to its class.
  CHECK_FALSE(parse_breakhis_name("SOB_M_A-14-22549AB-100-001.png"));
  CHECK_FALSE(parse_breakhis_name("SOB_B_DC-14-22549AB-100-001.png"));
}

TEST_CASE("82 folders are 81 slides and 70 cases") {
  std::set<std::string> patients, slides, cases;
  for (const auto& name : test::breakhis_folders()) {
    CHECK(parse_breakhis_name(name.file_name()));
    patients.insert(name.patient());
    slides.insert(name.slide());
    cases.insert(name.case_id());
  }
  CHECK(patients.size() == 82);
  CHECK(slides.size() == 81);
  CHECK(cases.size() == 70);
}

TEST_CASE("a fold file's line") {
  const auto line = parse_breakhis_fold_line("SOB_B_A-14-22549AB-100-001.png|100|1|train\r");
  REQUIRE(line);
  CHECK(line->file_name == "SOB_B_A-14-22549AB-100-001.png");
  CHECK(line->magnification == 100);
  CHECK(line->fold == 1);
  CHECK(line->train);
  CHECK_FALSE(parse_breakhis_fold_line("SOB_B_A-14-22549AB-100-001.png|100|5|test")->train);
  for (const char* bad :
       {"", "SOB_B_A-14-22549AB-100-001.png|100|1", "x.png|100|1|train",
        "SOB_B_A-14-22549AB-100-001.png|100|0|train", "SOB_B_A-14-22549AB-100-001.png|100|1|val",
        "SOB_B_A-14-22549AB-100-001.png|50|1|train", "SOB_B_A-14-22549AB-100-001.png|200|1|train",
        "SOB_B_A-14-22549AB-100-001.png|100|1x|train"}) {
    INFO(bad);
    CHECK_FALSE(parse_breakhis_fold_line(bad));
  }
}
