// `bcx runs FILTER`, `--group-by`, `bcx sql` and `bcx diff` as a person or a program calls them.
#include <nlohmann/json.hpp>

#include "sample_tracker.h"

using namespace bcx::test;

TEST_CASE("bcx runs FILTER") {
  TemporaryFolder folder;
  fill_sample_tracker(folder / "bcx.db");
  CHECK(shell("bcx runs 'val.auc > 0.82 and not tag = \"paper\"' --sort=-val.auc "
              "--columns name,status,'best(val.auc)' --csv",
              folder)
            .out ==
        "name,status,best(val.auc)\ndensenet201-1,finished,0.875\ndensenet201-2,crashed,0.75\n");
  CHECK(shell("bcx runs 'status = \"crashed\"' --columns name --csv", folder).out ==
        "name\ndensenet201-2\n");
  CHECK(shell("bcx runs --columns name --csv 'seed = 1'", folder).out == "name\ndensenet201-1\n");
  CHECK(shell("bcx runs 'seed < 2' --limit 1", folder).err ==
        "1 of 2 runs that match; --limit 0 shows all\n");
  const auto wrong = shell("bcx runs 'val.acu > 0.5'", folder);
  CHECK(wrong.code == 2);
  CHECK(wrong.err ==
        "error: filter, column 1: no run has a column, parameter or metric \"val.acu\"; did you "
        "mean \"val.auc\"?\n  val.acu > 0.5\n  ^~~~~~~\n");
}

TEST_CASE("bcx runs --group-by") {
  TemporaryFolder folder;
  fill_sample_tracker(folder / "bcx.db");
  CHECK(shell("bcx runs --group-by learning_rate --columns val.auc --csv", folder).out ==
        "optimizer.learning_rate,runs,val.auc,val.auc.sd,val.auc.n\n"
        "0.0001,1,1.0,,1\n"
        "0.001,2,0.8125,0.08838834764831845,2\n");
  CHECK(shell("bcx runs --group-by learning_rate --sort=-val.auc --columns val.loss --md", folder)
            .out ==
        "| optimizer.learning_rate | runs | val.loss | val.auc |\n| ---: | ---: | ---: | ---: |\n"
        "| 0.001 | 2 | 0.45 ± 0.071 | 0.8125 ± 0.088 |\n| 0.0001 | 1 | 0.3 | 1 |\n");
  const auto json = nlohmann::json::parse(
      shell("bcx runs 'seed < 2' --group-by learning_rate --columns val.auc --json", folder).out);
  REQUIRE(json.size() == 1);
  CHECK(json[0]["optimizer.learning_rate"] == 0.001);
  CHECK(json[0]["runs"] == 2);
  CHECK(json[0]["metrics"]["val.auc"]["n"] == 2);
  CHECK(json[0]["metrics"]["val.auc"]["mean"] == 0.8125);
  const auto wrong = shell("bcx runs --group-by val.auc", folder);
  CHECK(wrong.code == 2);
  CHECK(wrong.err == "error: --group-by: val.auc is a metric; name a parameter or a column\n");
}

TEST_CASE("bcx sql") {
  TemporaryFolder folder;
  fill_sample_tracker(folder / "bcx.db");
  CHECK(shell("bcx sql 'SELECT name, seed, 0.1 + 0.2 AS x, NULL AS n FROM v_run WHERE seed < 2 "
              "ORDER BY "
              "seed' --csv",
              folder)
            .out ==
        "name,seed,x,n\ndensenet201-0,0,0.30000000000000004,\n"
        "densenet201-1,1,0.30000000000000004,\n");
  const auto json = nlohmann::json::parse(
      shell("bcx sql \"SELECT 1 AS a, 9e999 AS b, x'00ff' AS c\" --json", folder).out);
  REQUIRE(json.size() == 1);
  CHECK(json[0]["a"] == 1);
  CHECK(json[0]["b"].is_null());
  CHECK(json[0]["c"] == "00ff");
  const auto cut = shell("bcx sql 'SELECT * FROM v_metric' --limit 2", folder);
  CHECK(cut.err == "only the first 2 rows; --limit N allows more, --limit 0 all that fit\n");
  const auto wrong = shell("bcx sql 'DROP TABLE run'", folder);
  CHECK(wrong.code == 2);
  CHECK(wrong.err.find("bcx sql` runs one SELECT and changes nothing") != std::string::npos);
}

TEST_CASE("bcx diff") {
  TemporaryFolder folder;
  fill_sample_tracker(folder / "bcx.db");
  const auto result = shell("bcx diff densenet201-0 densenet201-1", folder);
  CHECK(result.code == 0);
  CHECK(result.out ==
        "plugins         densenet201-0 00000001  densenet201-1 00000002\n"
        "optimizer adam  0.1.0 b01d              0.1.0 b02d\n");
  const auto json = nlohmann::json::parse(shell("bcx diff densenet201-0 @last --json", folder).out);
  CHECK(json["runs"][1]["name"] == "densenet201-2");
  std::vector<std::string> keys;
  for (const auto& one : json["differences"])
    keys.push_back(one["section"].get<std::string>() + "/" + one["key"].get<std::string>());
  CHECK(keys == std::vector<std::string>{"parameters/optimizer.learning_rate",
                                         "parameters/optimizer.name", "data/fold", "data/split"});
  CHECK(json["differences"][2]["values"] == nlohmann::json::array({nullptr, "1 of 5"}));
  CHECK(shell("bcx diff @last @last", folder).out ==
        "no difference in parameters, plugins, data, code or environment\n");
  const auto wrong = shell("bcx diff @last", folder);
  CHECK(wrong.code == 2);
  CHECK(wrong.err == "error: diff compares from 2 to 64 runs\n");
}
