// Random filters over random runs: what SQL answers against an evaluation in C++ that knows nothing
// of it.
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <set>

#include "base/text.h"
#include "random_runs.h"
#include "tracker/file_lock.h"
#include "tracker/reader.h"

using namespace bcx::tracker;
using namespace bcx::test;

namespace {

/// What a run has of a key: nothing, a number (exactly: 64 bits of mantissa hold both kinds), a
/// text, or true or false.
using Value = std::variant<std::monostate, long double, std::string, bool>;
using Truth = std::function<bool(const RunShown&)>;

struct RandomFilter {
  std::string text;
  Truth truth;
};

Value number(double value) {
  return std::isnan(value) ? Value() : Value(static_cast<long double>(value));
}

struct TestKey {
  std::string text;
  std::function<Value(const RunShown&)> value;
  int literal;  ///< 0 numbers, 1 texts, 2 anything
};

TestKey param(const std::string& word, const std::string& name) {
  return {word,
          [name](const RunShown& run) -> Value {
            const auto found = run.params.find(name);
            if (found == run.params.end()) return {};
            const auto& value = found->second.value;
            if (const auto* flag = std::get_if<bool>(&value)) return *flag;
            if (const auto* whole = std::get_if<std::int64_t>(&value))
              return static_cast<long double>(*whole);
            if (const auto* real = std::get_if<double>(&value)) return number(*real);
            return std::get<std::string>(value);
          },
          2};
}

TestKey metric(const std::string& word, const std::string& name, const std::string& of) {
  return {word,
          [name, of](const RunShown& run) -> Value {
            const auto found = run.metrics.find(name);
            if (found == run.metrics.end()) return {};
            if (of == "last") return number(found->second.last);
            const auto value = of == "min" ? found->second.min : found->second.max;
            return value ? number(*value) : Value();
          },
          0};
}

TestKey text_column(const char* word, std::function<std::string(const RunShown&)> text) {
  return {word,
          [text](const RunShown& run) -> Value {
            auto value = text(run);
            return value.empty() ? Value() : Value(std::move(value));
          },
          1};
}

std::vector<TestKey> keys() {
  return {
      param("optimizer.learning_rate", "optimizer.learning_rate"),
      param("learning_rate", "optimizer.learning_rate"),
      param("depth", "model.depth"),
      param("`optimizer.name`", "optimizer.name"),
      param("deterministic", "train.deterministic"),
      param("classes", "data.classes"),
      metric("val.auc", "val.auc", "last"),
      metric("last(auc)", "val.auc", "last"),
      metric("best(val.auc)", "val.auc", "max"),
      metric("best(val.loss)", "val.loss", "min"),
      metric("max(train.loss)", "train.loss", "max"),
      text_column("name", [](const RunShown& run) { return run.name; }),
      text_column("notes", [](const RunShown& run) { return run.notes; }),
      text_column("host", [](const RunShown& run) { return run.host; }),
      text_column("reason", [](const RunShown& run) { return run.exit_reason; }),
      {"seed", [](const RunShown& run) { return Value(static_cast<long double>(run.seed)); }, 0},
      {"duration",
       [](const RunShown& run) {  // of these runs: whole multiples of half an hour
         return Value(static_cast<long double>(run.command.empty() ? run.pid : 0));
       },
       0},
  };
}

std::string quoted(const std::string& text, Dice& dice) {
  if (text.find('\'') == std::string::npos && dice.one_in(2)) return "'" + text + "'";
  std::string out = "\"";
  for (const char c : text) (c == '"' || c == '\\') ? (out += '\\') += c : out += c;
  return out + "\"";
}

struct Literal {
  std::string text;
  Value value;
};

Literal random_literal(Dice& dice, int kind) {
  if (kind == 2) kind = dice.below(3);
  if (kind == 2 && dice.one_in(2)) {
    const bool flag = dice.one_in(2);
    return {flag ? "true" : "false", flag};
  }
  if (kind == 1) {
    const auto& text = dice.of(some_texts);
    return {quoted(text, dice), text};
  }
  if (dice.one_in(4)) return {"30m", 1800.0L};
  if (dice.one_in(4)) return {"1_000", 1000.0L};
  if (dice.one_in(2)) {
    const auto whole = dice.of(some_integers);
    return {fmt::format("{}", whole), static_cast<long double>(whole)};
  }
  const auto real = dice.of(some_reals);
  return {bcx::shortest(real), static_cast<long double>(real)};
}

bool same_type(const Value& a, const Value& b) {
  return a.index() == b.index() && a.index() != 0;
}

bool holds(const Value& a, const std::string& sign, const Value& b) {
  if (!same_type(a, b)) return false;
  if (sign == "=" || sign == "==") return a == b;
  if (sign == "!=" || sign == "<>") return a != b;
  if (sign == "<") return a < b;
  if (sign == "<=") return a <= b;
  return sign == ">" ? a > b : a >= b;
}

/// LIKE by its definition: ASCII without case, `%`, `_`, and `\` before either.
bool like(const std::string& text, const std::string& pattern, std::size_t t = 0,
          std::size_t p = 0) {
  const auto next = [](const std::string& s, std::size_t at) {
    for (++at; at < s.size() && (s[at] & 0xC0) == 0x80;) ++at;
    return at;
  };
  if (p == pattern.size()) return t == text.size();
  if (pattern[p] == '%') {
    for (auto at = t; at <= text.size(); at = at < text.size() ? next(text, at) : at + 1)
      if (like(text, pattern, at, p + 1)) return true;
    return false;
  }
  if (t == text.size()) return false;
  if (pattern[p] == '_') return like(text, pattern, next(text, t), p + 1);
  if (pattern[p] == '\\') ++p;
  return bcx::lower(text.substr(t, 1)) == bcx::lower(pattern.substr(p, 1)) &&
         like(text, pattern, t + 1, p + 1);
}

const std::array<std::string, 8> signs{"=", "!=", "<", "<=", ">", ">=", "==", "<>"};
const std::array<std::string, 5> patterns{"a%", "%A%", "_gd", "50 \\%", "gr_\xC3\x9F%"};

RandomFilter compare(Dice& dice, const std::vector<TestKey>& all) {
  const auto key = dice.of(all);
  auto literal = random_literal(dice, key.literal);
  auto sign = dice.of(signs);
  if (literal.value.index() == 3) sign = dice.one_in(2) ? "=" : "!=";
  if (dice.one_in(5)) {
    if (sign == "<" || sign == ">" || sign == "=")
      return {literal.text + sign + key.text,
              [=](const RunShown& run) { return holds(literal.value, sign, key.value(run)); }};
  }
  return {key.text + (dice.one_in(2) ? " " : "") + sign + literal.text,
          [=](const RunShown& run) { return holds(key.value(run), sign, literal.value); }};
}

RandomFilter range(Dice& dice, const std::vector<TestKey>& all) {
  const auto key = dice.of(all);
  const int kind = key.literal == 2 ? dice.below(2) : key.literal;
  const auto low = random_literal(dice, kind), high = random_literal(dice, kind);
  const auto inside = [=](const RunShown& run, const char* a, const char* b) {
    const auto value = key.value(run);
    return holds(value, a, low.value) && holds(value, b, high.value);
  };
  switch (dice.below(4)) {
    case 0:
      return {low.text + " < " + key.text + " <= " + high.text,
              [=](const RunShown& run) { return inside(run, ">", "<="); }};
    case 1:
      return {low.text + " >= " + key.text + " > " + high.text,
              [=](const RunShown& run) { return inside(run, "<=", ">"); }};
    case 2:
      return {key.text + " between " + low.text + " AND " + high.text,
              [=](const RunShown& run) { return inside(run, ">=", "<="); }};
    default:
      return {key.text + " not between " + low.text + " and " + high.text,
              [=](const RunShown& run) {
                return same_type(key.value(run), low.value) && !inside(run, ">=", "<=");
              }};
  }
}

RandomFilter listed(Dice& dice, const std::vector<TestKey>& all) {
  const auto key = dice.of(all);
  const bool negated = dice.one_in(2);
  std::vector<Value> values;
  std::string text;
  for (int i = 0, count = 1 + dice.below(4); i < count; ++i) {
    const auto literal = random_literal(dice, key.literal);
    values.push_back(literal.value);
    text += (i ? ", " : "") + literal.text;
  }
  return {key.text + (negated ? " not in (" : " In(") + text + ")", [=](const RunShown& run) {
            const auto value = key.value(run);
            const auto is = [&](const Value& one) { return value == one; };
            const auto comparable = [&](const Value& one) { return same_type(value, one); };
            if (!std::any_of(values.begin(), values.end(), comparable)) return false;
            return std::any_of(values.begin(), values.end(), is) != negated;
          }};
}

RandomFilter liked(Dice& dice, const std::vector<TestKey>& all) {
  auto key = dice.of(all);
  while (key.literal == 0) key = dice.of(all);
  const bool negated = dice.one_in(2);
  const auto pattern = dice.of(patterns);
  return {key.text + (negated ? " not like '" : " like '") + pattern + "'",
          [=](const RunShown& run) {
            const auto value = key.value(run);
            const auto* text = std::get_if<std::string>(&value);
            return text && like(*text, pattern) != negated;
          }};
}

RandomFilter null(Dice& dice, const std::vector<TestKey>& all) {
  const auto key = dice.of(all);
  const bool negated = dice.one_in(2);
  return {key.text + (negated ? " is not null" : " is null"),
          [=](const RunShown& run) { return (key.value(run).index() == 0) != negated; }};
}

RandomFilter nan(Dice& dice) {
  const bool negated = dice.one_in(2);
  if (dice.one_in(2))
    return {negated ? "val.loss is not nan" : "val.loss is nan", [=](const RunShown& run) {
              const auto found = run.metrics.find("val.loss");
              return found != run.metrics.end() && std::isnan(found->second.last) != negated;
            }};
  return {negated ? "learning_rate is not nan" : "learning_rate is nan", [=](const RunShown& run) {
            const auto found = run.params.find("optimizer.learning_rate");
            return found != run.params.end() &&
                   std::isnan(std::get<double>(found->second.value)) != negated;
          }};
}

RandomFilter two_keys(Dice& dice, const std::vector<TestKey>& all) {
  const auto left = dice.of(all), right = dice.of(all);
  if (left.literal + right.literal == 1)  // a text with a number: an error
    return null(dice, all);
  const auto sign = dice.of(signs);
  return {left.text + " " + sign + " " + right.text, [=](const RunShown& run) {
            const auto a = left.value(run), b = right.value(run);
            return a.index() != 3 && holds(a, sign, b);
          }};
}

RandomFilter several(Dice& dice) {
  const std::array<std::string, 4> tags{"paper", "demo", "it's", "none"};
  const auto tag = dice.of(tags), other = dice.of(tags);
  const auto has = [](const RunShown& run, const std::string& text) {
    return std::find(run.tags.begin(), run.tags.end(), text) != run.tags.end();
  };
  const bool negated = dice.one_in(2);
  switch (dice.below(5)) {
    case 0:
      return {(negated ? "tag != \"" : "tag = \"") + tag + "\"",
              [=](const RunShown& run) { return has(run, tag) != negated; }};
    case 1:
      return {fmt::format("tags {} (\"{}\", \"{}\")", negated ? "not in" : "in", tag, other),
              [=](const RunShown& run) { return (has(run, tag) || has(run, other)) != negated; }};
    case 2:
      return {negated ? "tag not like '%E%'" : "tag like '%E%'", [=](const RunShown& run) {
                return (has(run, "paper") || has(run, "demo")) != negated;
              }};
    case 3:
      return {negated ? "stamp is not null" : "stamps is null",
              [=](const RunShown& run) { return run.stamps.empty() != negated; }};
    default:
      return {negated ? "id != '00000005'" : "id = '00000005'",
              [=](const RunShown& run) { return (run.short_id == "00000005") != negated; }};
  }
}

RandomFilter status(Dice& dice) {
  const std::array<std::string, 6> all{"running", "finished", "stopped",
                                       "failed",  "crashed",  "unknown"};
  const auto one = dice.of(all), other = dice.of(all);
  const bool negated = dice.one_in(2);
  return {
      fmt::format("status {} ('{}', '{}')", negated ? "NOT IN" : "IN", one, other),
      [=](const RunShown& run) { return (run.status == one || run.status == other) != negated; }};
}

std::string written_time(std::int64_t seconds, const char* format) {
  const std::time_t time = seconds;
  char text[40];
  return std::string(text, std::strftime(text, sizeof text, format, std::gmtime(&time)));
}

RandomFilter times(Dice& dice) {
  struct Precision {
    const char* format;
    std::int64_t seconds;
  };
  const std::array<Precision, 4> precisions{{{"\"%Y-%m-%d\"", 86400},
                                             {"%Y-%m-%d %H:%M", 60},
                                             {"%Y-%m-%dT%H:%M:%SZ", 1},
                                             {"'%Y-%m-%dT%H:%M+00:00'", 60}}};
  const auto precision = dice.of(precisions);
  std::int64_t from = first_day + dice.below(5 * 86400);
  from -= from % precision.seconds;
  const auto to = from + precision.seconds;
  const bool end = dice.one_in(2);
  const auto sign = dice.of(signs);
  return {(end ? "ended " : "started ") + sign + " " + written_time(from, precision.format),
          [=](const RunShown& run) {
            if (end && !run.ended) return false;
            const auto at = end ? *run.ended : run.started;
            const bool before = at < from * 1'000'000, behind = at >= to * 1'000'000;
            if (sign == "=" || sign == "==") return !before && !behind;
            if (sign == "!=" || sign == "<>") return before || behind;
            if (sign == "<") return before;
            if (sign == "<=") return !behind;
            return sign == ">" ? behind : !before;
          }};
}

RandomFilter random_filter(Dice& dice, const std::vector<TestKey>& all, int depth) {
  if (depth > 0 && !dice.one_in(3)) {
    const auto left = random_filter(dice, all, depth - 1);
    if (dice.one_in(4))
      return {"not (" + left.text + ")", [=](const RunShown& run) { return !left.truth(run); }};
    const auto right = random_filter(dice, all, depth - 1);
    if (dice.one_in(2))
      return {"(" + left.text + ") and (" + right.text + ")",
              [=](const RunShown& run) { return left.truth(run) && right.truth(run); }};
    return {"(" + left.text + ") OR (" + right.text + ")",
            [=](const RunShown& run) { return left.truth(run) || right.truth(run); }};
  }
  switch (dice.below(10)) {
    case 0:
      return range(dice, all);
    case 1:
      return listed(dice, all);
    case 2:
      return liked(dice, all);
    case 3:
      return null(dice, all);
    case 4:
      return nan(dice);
    case 5:
      return two_keys(dice, all);
    case 6:
      return several(dice);
    case 7:
      return status(dice);
    case 8:
      return times(dice);
    default:
      return compare(dice, all);
  }
}

std::set<std::string> ids(const std::vector<RunShown>& runs) {
  std::set<std::string> out;
  for (const auto& run : runs) out.insert(run.id);
  return out;
}

}  // namespace

TEST_CASE("filters answer as a brute-force evaluation does") {
  const auto all = keys();
  int filters = 0, matched = 0;
  for (const std::uint64_t seed : {1, 2, 3, 4}) {
    TemporaryFolder folder;
    Dice dice(seed);
    std::vector<FileLock> locks;
    std::vector<std::int64_t> seconds;
    {
      SmallTracker tracker(folder / "bcx.db");
      Transaction all_rows(tracker.database);
      for (int i = 0; i < 40; ++i) {
        const auto run = random_run(dice);
        const auto row = tracker.add(run);
        seconds.push_back(run.seconds);
        if (run.status != "running" || dice.one_in(2)) continue;
        std::filesystem::create_directory(folder / fmt::format("run-{}", row));
        locks.push_back(*FileLock::take(folder / fmt::format("run-{}/run.lock", row),
                                        std::chrono::milliseconds(0)));
      }
      all_rows.commit();
    }
    const Reader reader(folder / "bcx.db");
    RunQuery everything;
    everything.all_keys = true;
    auto runs = reader.runs(everything);
    REQUIRE(runs.size() == 40);
    for (auto& run : runs) run.pid = seconds[static_cast<std::size_t>(run.row - 1)];
    for (int i = 0; i < 400; ++i, ++filters) {
      const auto filter = random_filter(dice, all, 3);
      INFO("seed " << seed << ": " << filter.text);
      std::vector<RunShown> expected;
      std::copy_if(runs.begin(), runs.end(), std::back_inserter(expected), filter.truth);
      RunQuery query;
      query.filter = filter.text;
      REQUIRE(ids(reader.runs(query)) == ids(expected));
      matched += !expected.empty() && expected.size() < runs.size();
    }
  }
  CHECK(matched > filters / 2);  // or the filters say nothing
}

TEST_CASE("filters answer as SQL by hand does") {
  TemporaryFolder folder;
  Dice dice(5);
  SmallTracker tracker(folder / "bcx.db");
  for (int i = 0; i < 60; ++i) tracker.add(random_run(dice));
  const Reader reader(folder / "bcx.db");
  const std::vector<std::pair<const char*, const char*>> pairs{
      {"val.auc > 0.5", "SELECT run FROM v_best WHERE key='val.auc' AND last > 0.5"},
      {"best(val.loss) <= 0 and not tag = 'paper'",
       "SELECT run FROM v_run WHERE run IN (SELECT run FROM v_best WHERE key='val.loss' AND best "
       "<= "
       "0) AND ',' || coalesce(tags, '') || ',' NOT LIKE '%,paper,%'"},
      {"optimizer.name in ('adam', 'sgd') or seed = 3",
       "SELECT uuid FROM run r WHERE seed = 3 OR EXISTS (SELECT 1 FROM param WHERE run = r.id AND "
       "key = 'optimizer.name' AND value IN ('adam', 'sgd'))"},
      {"not val.auc > 0.5",
       "SELECT run FROM v_run EXCEPT SELECT run FROM v_best WHERE key='val.auc' AND last > 0.5"},
      {"val.loss > train.loss",
       "SELECT a.run FROM v_best a JOIN v_best b USING (run) WHERE a.key = 'val.loss' AND b.key = "
       "'train.loss' AND a.last > b.last"},
      {"started >= 2026-11-22 and duration < 45m",
       "SELECT run FROM v_run WHERE started >= '2026-11-22' AND seconds < 2700"},
      {"deterministic = true",
       "SELECT uuid FROM run r JOIN param p ON p.run = r.id WHERE key = 'train.deterministic' AND "
       "value = 1"}};
  for (const auto& [filter, sql] : pairs) {
    INFO(filter);
    std::set<std::string> expected;
    auto rows = tracker.database.prepare(sql);
    while (rows.step()) expected.insert(rows.text(0));
    RunQuery query;
    query.filter = filter;
    CHECK(ids(reader.runs(query)) == expected);
    CHECK(!expected.empty());
    query.limit = 2;
    CHECK(reader.list(query).matching == static_cast<std::int64_t>(expected.size()));
  }
}
