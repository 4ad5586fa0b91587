#include "tracker/run_keys.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "tracker/run_columns.h"

namespace bcx::tracker {
namespace {

std::vector<std::string> texts(const Database& database, const char* sql) {
  std::vector<std::string> out;
  auto& rows = database.cached(sql);
  while (rows.step()) out.push_back(rows.text(0));
  rows.reset();
  return out;
}

std::vector<std::string> ending_in(const std::vector<std::string>& names, std::string_view word) {
  std::vector<std::string> out;
  for (const auto& name : names)
    if (name.size() > word.size() && name.ends_with(word) &&
        name[name.size() - word.size() - 1] == '.')
      out.push_back(name);
  return out;
}

}  // namespace

KnownKeys known_keys(const Database& database) {
  KnownKeys known;
  // The recursive form steps from key to key over the index, whatever the number of runs.
  known.params =
      texts(database,
            "WITH RECURSIVE k(key) AS (SELECT min(key) FROM param UNION ALL "
            "SELECT (SELECT min(key) FROM param WHERE key > k.key) FROM k WHERE key IS NOT NULL) "
            "SELECT key FROM k WHERE key IS NOT NULL");
  // Before schema 3 this index led from key to value: SQLite chooses better by itself.
  if (database.pragma("user_version") >= 3) known.param_index = "INDEXED BY param_by_key";
  auto& rows = database.cached("SELECT name, id FROM metric_key ORDER BY name");
  while (rows.step()) known.metrics.push_back({rows.text(0), rows.integer(1)});
  rows.reset();
  return known;
}

Key resolve_key(const KnownKeys& known, std::string_view word) {
  if (const auto* column = find_run_column(word))
    return {Key::Kind::column, std::string(column->word), ""};
  std::vector<std::string> names;
  for (const auto& metric : known.metrics) names.push_back(metric.name);
  const auto has = [&](const auto& all) {
    return std::find(all.begin(), all.end(), word) != all.end();
  };
  if (has(names)) return {Key::Kind::metric, std::string(word), ""};
  if (has(known.params)) return {Key::Kind::param, std::string(word), ""};

  const auto metrics = ending_in(names, word), params = ending_in(known.params, word);
  if (metrics.size() + params.size() == 1)
    return metrics.empty() ? Key{Key::Kind::param, params[0], ""}
                           : Key{Key::Kind::metric, metrics[0], ""};
  std::vector<std::string> candidates = metrics;
  candidates.insert(candidates.end(), params.begin(), params.end());
  if (!candidates.empty())
    throw Error(ExitCode::usage, {fmt::format("\"{}\" may be several keys: {}", printable(word),
                                              printable(join(candidates, ", "))),
                                  "", "write it in full"});
  for (const auto& column : run_columns()) candidates.emplace_back(column.word);
  candidates.insert(candidates.end(), names.begin(), names.end());
  candidates.insert(candidates.end(), known.params.begin(), known.params.end());
  throw Error(ExitCode::usage,
              {fmt::format("no run has a column, parameter or metric \"{}\"", printable(word)), "",
               printable(did_you_mean(word, candidates))});
}

Key resolve_term(const KnownKeys& known, std::string_view word) {
  for (const std::string_view function : {"last", "best", "min", "max"}) {
    if (!word.starts_with(function) || !word.ends_with(")")) continue;
    if (word.size() < function.size() + 2 || word[function.size()] != '(') continue;
    word.remove_prefix(function.size() + 1);
    word.remove_suffix(1);
    auto key = resolve_key(known, word);
    key.function = function;
    if (key.kind == Key::Kind::metric) return key;
    throw Error(ExitCode::usage, fmt::format("{} is no metric: {} has no meaning for it",
                                             printable(key.name), function));
  }
  return resolve_key(known, word);
}

SqlCondition metric_value(const KnownKeys& known, const std::string& name,
                          std::string_view function) {
  if (function == "best") function = lower_is_better(name) ? "min" : "max";
  const auto metric = std::find_if(known.metrics.begin(), known.metrics.end(),
                                   [&](const auto& one) { return one.name == name; });
  return {
      fmt::format("m{}.{}", metric->id, function.empty() ? "last" : function), {}, {metric->id}};
}

SqlCondition column_value(const char* sql, const NotRunning& not_running) {
  SqlCondition out;
  for (std::string_view text = sql; !text.empty();) {
    const auto hole = text.find('$');
    out.sql += text.substr(0, hole);
    if (hole == std::string_view::npos) break;
    const bool crashed = text.substr(hole).starts_with("$crashed");
    out.sql += "(SELECT value FROM json_each(?))";
    out.values.emplace_back(
        fmt::format("[{}]", fmt::join(crashed ? not_running.crashed : not_running.unknown, ",")));
    text.remove_prefix(hole + std::string_view("$crashed").size());
  }
  return out;
}

}  // namespace bcx::tracker
