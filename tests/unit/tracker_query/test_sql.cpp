// `bcx sql`: its functions against figures by hand and brute force, and what it refuses.
#include <sqlite3.h>

#include <cmath>
#include <random>

#include "base/error.h"
#include "base/paths.h"
#include "small_tracker.h"
#include "tracker/sql_query.h"

using namespace bcx::tracker;
using namespace bcx::test;

namespace {

struct Fixture {
  Fixture() {
    SmallTracker tracker(path);
    SmallRun run;
    run.name = "densenet201";
    run.metrics = {{"val.auc", 0.9, 0.5, 0.95}};
    tracker.add(run);
  }
  SqlResult ask(const std::string& sql, const SqlLimits& limits = {}) const {
    return run_sql(path, sql, limits);
  }
  double number(const std::string& sql) const {
    const auto cell = ask(sql).rows.at(0).at(0);
    if (std::holds_alternative<std::int64_t>(cell))
      return static_cast<double>(std::get<std::int64_t>(cell));
    return std::holds_alternative<double>(cell) ? std::get<double>(cell) : std::nan("");
  }
  std::string error(const std::string& sql, const SqlLimits& limits = {}) const {
    try {
      ask(sql, limits);
    } catch (const bcx::Error& error) {
      return error.what();
    }
    return "";
  }
  TemporaryFolder folder;
  std::filesystem::path path = folder / "bcx.db";
};

std::string rows(const std::vector<std::pair<double, int>>& values) {
  std::string out = "(SELECT NULL AS a, NULL AS b";
  for (const auto& [a, b] : values) out += fmt::format(" UNION ALL SELECT {}, {}", a, b);
  return out + ")";
}

}  // namespace

TEST_CASE("auc is the share of pairs in order, ties half") {
  const Fixture t;
  std::mt19937 dice(1);
  for (int round = 0; round < 20; ++round) {
    std::vector<std::pair<double, int>> values;
    for (int i = 0; i < 30; ++i)
      values.emplace_back(static_cast<double>(dice() % 10), static_cast<int>(dice() % 2));
    double wins = 0, pairs = 0;
    for (const auto& [a, positive] : values)
      for (const auto& [b, other] : values)
        if (positive && !other) wins += a > b ? 1 : a == b ? 0.5 : 0, ++pairs;
    CHECK(t.number("SELECT auc(a, b) FROM " + rows(values)) == Approx(wins / pairs).epsilon(1e-14));
  }
  CHECK(std::isnan(t.number("SELECT auc(1.0, 1)")));
  CHECK(std::isnan(t.number("SELECT auc(a, b) FROM " + rows({}))));
  CHECK(t.error("SELECT auc(0.5, 2)") == "sql: auc(score, target): the target must be 0 or 1");
}

TEST_CASE("f1, balanced_accuracy, percentile, stddev and spark") {
  const Fixture t;
  const auto table = rows({{1, 1}, {1, 0}, {0, 1}, {0, 0}, {1, 1}, {0, 0}, {0, 0}});
  CHECK(t.number("SELECT f1(a, b) FROM " + table) == Approx(2. * 2 / (2 * 2 + 1 + 1)));
  CHECK(t.number("SELECT balanced_accuracy(a, b) FROM " + table) == Approx((2. / 3 + 3. / 4) / 2));
  CHECK(t.number("SELECT balanced_accuracy(a, b) FROM " + rows({{0, 0}, {2, 2}, {1, 2}})) == 0.75);
  CHECK(std::isnan(t.number("SELECT f1(0, 0)")));

  const auto few = rows({{4, 0}, {1, 0}, {3, 0}, {2, 0}});
  CHECK(t.number("SELECT percentile(a, 50) FROM " + few) == 2.5);
  CHECK(t.number("SELECT percentile(a, 0) FROM " + few) == 1);
  CHECK(t.number("SELECT percentile(a, 100) FROM " + few) == 4);
  CHECK(t.number("SELECT percentile(a, 90) FROM " + few) == Approx(3.7));
  CHECK(t.error("SELECT percentile(1, 101)") ==
        "sql: percentile(value, p): p must be from 0 to 100");
  CHECK(t.number("SELECT stddev(a) FROM " + few) == Approx(std::sqrt(5. / 3)));
  CHECK(std::isnan(t.number("SELECT stddev(1)")));
  CHECK(std::get<std::string>(t.ask("SELECT spark(a) FROM (SELECT 1 AS a UNION ALL SELECT 2 UNION "
                                    "ALL SELECT NULL UNION ALL SELECT 8)")
                                  .rows[0][0]) == "▁▂ █");
}

TEST_CASE("logits in SQL") {
  const Fixture t;
  // 1.0f, 3.0f
  CHECK(t.number("SELECT logit(x'0000803f00004040', 1)") == 3);
  CHECK(t.number("SELECT predicted(x'0000803f00004040')") == 1);
  CHECK(t.number("SELECT probability(x'0000803f00004040', 1)") == Approx(1 / (1 + std::exp(-2.))));
  CHECK(t.number("SELECT sigmoid(2)") == Approx(1 / (1 + std::exp(-2.))));
  CHECK(t.error("SELECT logit(x'0000803f', 1)") ==
        "sql: there is no such class: they count from 0");
  CHECK(t.error("SELECT logit(x'00', 0)") == "sql: logits must be a blob of float32 values");
  CHECK(std::isnan(t.number("SELECT probability(NULL, 0)")));
}

TEST_CASE("nothing but reading is allowed") {
  const Fixture t;
  const auto before = bcx::read_text(t.path, 1 << 24, bcx::ExitCode::other);
  const auto victim = (t.folder / "victim.db").string();
  for (const std::string& sql : {std::string("DELETE FROM run"),
                                 std::string("UPDATE run SET name='x'"),
                                 std::string("INSERT INTO run_tag VALUES (1, 'x')"),
                                 std::string("DROP TABLE run"),
                                 std::string("CREATE TABLE t (a)"),
                                 std::string("CREATE TEMP TABLE t (a)"),
                                 "ATTACH '" + victim + "' AS v",
                                 "VACUUM INTO '" + victim + "'",
                                 std::string("PRAGMA user_version=9"),
                                 std::string("PRAGMA journal_mode=DELETE"),
                                 std::string("PRAGMA query_only=OFF"),
                                 std::string("PRAGMA hard_heap_limit=0"),
                                 std::string("SELECT * FROM pragma_journal_mode"),
                                 std::string("DETACH main"),
                                 std::string("SELECT load_extension('x')"),
                                 std::string("BEGIN"),
                                 std::string("SAVEPOINT x"),
                                 std::string("ANALYZE"),
                                 std::string("REINDEX"),
                                 std::string("EXPLAIN DELETE FROM run"),
                                 std::string("WITH x AS (SELECT 1) DELETE FROM run"),
                                 std::string("SELECT writefile('x', 'y')"),
                                 std::string("SELECT readfile('/etc/passwd')"),
                                 std::string("SELECT edit('x')"),
                                 std::string("SELECT fts3_tokenizer('x')")}) {
    INFO(sql);
    CHECK(!t.error(sql).empty());
  }
  CHECK(!std::filesystem::exists(victim));
  CHECK(bcx::read_text(t.path, 1 << 24, bcx::ExitCode::other) == before);
  CHECK(t.error("DELETE FROM run") ==
        "sql: that is not allowed here: not authorized; `bcx sql` runs one SELECT and changes "
        "nothing; docs/recipes.md has examples");
  CHECK(t.ask("PRAGMA table_info(run)").rows.size() > 10);
}

TEST_CASE("mistakes in SQL are pointed at") {
  const Fixture t;
  CHECK(t.error("SELECT nme FROM v_run") ==
        "sql, column 8: no such column: nme\n"
        "  SELECT nme FROM v_run\n"
        "         ^");
  CHECK(t.error("SELECT 1; DELETE FROM run") ==
        "sql, column 11: a second statement begins here; give one at a time\n"
        "  SELECT 1; DELETE FROM run\n"
        "            ^");
  CHECK(t.ask("SELECT 1; -- that is all").rows.size() == 1);
  CHECK(t.error("  ") ==
        "sql: there is no SQL here; `bcx sql` runs one SELECT and changes nothing; docs/recipes.md "
        "has examples");
}

TEST_CASE("time, rows and memory have limits") {
  const Fixture t;
  const std::string endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) ";
  SqlLimits limits;
  limits.seconds = 0.1;
  CHECK(t.error(endless + "SELECT count(*) FROM n", limits) ==
        "the query took over 0.1 s; ask for less, or allow more with --timeout");
  limits.seconds = 30;
  limits.rows = 3;
  const auto cut = t.ask(endless + "SELECT i FROM n", limits);
  CHECK(cut.cut);
  CHECK(cut.rows.size() == 3);
  CHECK_FALSE(t.ask("SELECT 1 UNION SELECT 2 UNION SELECT 3", limits).cut);
  limits.bytes = 8 << 20;
  CHECK(t.error(endless + "SELECT i FROM n ORDER BY i", limits) ==
        "the query needs more than 8.39 MB of memory; ask for less");
  CHECK(t.error("SELECT zeroblob(1000000000)", limits) == "sql: string or blob too big");
  limits.rows = 0;
  const auto bytes = t.ask(endless + "SELECT zeroblob(1000000) FROM n", limits);
  CHECK(bytes.cut);
  CHECK(bytes.rows.size() == 9);
  CHECK(sqlite3_hard_heap_limit64(-1) == 0);  // as before
}

TEST_CASE("v_run tells what has become of a run, not what was recorded") {
  const Fixture t;
  {
    SmallTracker tracker(t.folder / "other.db");
    for (const auto& [name, elsewhere] : {std::pair("gone", false), std::pair("elsewhere", true)}) {
      SmallRun run;
      run.name = name;
      run.status = "running";
      run.elsewhere = elsewhere;
      tracker.add(run);
    }
    SmallRun done;
    done.name = "done";
    tracker.add(done);
  }
  const auto ask = [&](const std::string& sql) {
    std::vector<std::string> out;
    for (const auto& row : run_sql(t.folder / "other.db", sql).rows)
      out.push_back(std::get<std::string>(row.at(0)));
    return out;
  };
  CHECK(ask("SELECT status FROM V_RUN ORDER BY name") ==
        std::vector<std::string>{"finished", "unknown", "crashed"});
  CHECK(ask("SELECT name FROM \"v_run\" WHERE status='crashed'") ==
        std::vector<std::string>{"gone"});
  CHECK(ask("SELECT status FROM main.v_run WHERE name='gone'") ==
        std::vector<std::string>{"running"});
  CHECK(ask("SELECT status FROM run WHERE name='gone'") == std::vector<std::string>{"running"});
}
