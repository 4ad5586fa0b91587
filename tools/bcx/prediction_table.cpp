#include "prediction_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>

#include "base/error.h"
#include "base/text.h"

namespace bcx::cli {
namespace {

constexpr std::string_view score_prefix = "score_";

[[noreturn]] void fail(const std::string& what, const std::string& where,
                       const std::string& remedy = {}) {
  throw Error(ExitCode::data, {what, where, remedy});
}

std::string quoted(const std::string& text) {
  return fmt::format("\"{}\"", clip(printable(text), 60));
}

double finite_number(const std::string& cell, const std::string& column, const std::string& place) {
  double value = 0.0;
  const auto [end, failed] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
  if (failed != std::errc{} || end != cell.data() + cell.size() || !std::isfinite(value))
    fail(fmt::format("{}: expected a finite number, got {}", printable(column), quoted(cell)),
         place);
  return value;
}

std::vector<std::size_t> score_columns(const std::vector<std::string>& header,
                                       const std::string& file) {
  std::vector<std::size_t> of_classes, single;
  for (std::size_t i = 0; i < header.size(); ++i) {
    if (header[i] == "score") single.push_back(i);
    if (header[i].starts_with(score_prefix)) of_classes.push_back(i);
  }
  if (single.empty() == of_classes.empty())
    fail(single.empty() ? "there is no score" : "score and score_CLASS stand beside each other",
         file, "one column score, or score_CLASS for each class");
  if (of_classes.size() == 1)
    fail("one score_CLASS column alone", file, "call it score, or add the other classes");
  return single.empty() ? of_classes : single;
}

/// 0, 1 .. below `classes`, as it is written without signs or zeros before it; -1 otherwise.
int index_of(const std::string& text, std::size_t classes) {
  int value = -1;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool index = failed == std::errc{} && fmt::format("{}", value) == text && value >= 0 &&
                     static_cast<std::size_t>(value) < classes;
  return index ? value : -1;
}

/// The two classes of a single score: 0 and 1, or the two words that occur, sorted.
std::vector<std::string> classes_of(const PredictionTable& table, const std::string& file) {
  const std::set<std::string> seen(table.target.begin(), table.target.end());
  if (std::all_of(seen.begin(), seen.end(), [](const auto& t) { return t == "0" || t == "1"; }))
    return {"0", "1"};
  if (seen.size() > 2)
    fail(fmt::format("a single score, but {} classes", seen.size()), file,
         "give a column score_CLASS for each class");
  if (seen.size() < 2)
    fail(fmt::format("only one class occurs: {}", quoted(*seen.begin())), file,
         "write targets as 0 and 1, or give score_CLASS columns");
  return {seen.begin(), seen.end()};
}

int positive_of(const std::vector<std::string>& classes, bool single, const std::string& wanted) {
  const auto found = std::find(classes.begin(), classes.end(), wanted);
  if (found != classes.end()) return static_cast<int>(found - classes.begin());
  if (!wanted.empty())
    throw Error(ExitCode::usage,
                {fmt::format("no class {}", quoted(wanted)), "--positive",
                 classes.size() <= 10 ? "one of " + printable(join(classes, ", ")) : ""});
  if (single && classes[1] != "1")
    throw Error(ExitCode::usage, {fmt::format("which class is the score's, {} or {}?",
                                              quoted(classes[0]), quoted(classes[1])),
                                  "--positive", "name it"});
  return 1;
}

bool are_probabilities(const PredictionTable& table, std::size_t width) {
  for (std::size_t row = 0; row * width < table.scores.size(); ++row) {
    double sum = 0.0;
    for (std::size_t k = 0; k < width; ++k) {
      const double value = table.scores[row * width + k];
      if (value < 0.0 || value > 1.0) return false;
      sum += value;
    }
    if (width > 1 && std::abs(sum - 1.0) > 1e-3) return false;
  }
  return true;
}

std::vector<eval::Label> labels_of(const PredictionTable& table,
                                   const std::vector<std::string>& classes) {
  std::vector<eval::Label> labels;
  for (std::size_t i = 0; i < table.target.size(); ++i) {
    const auto found = std::find(classes.begin(), classes.end(), table.target[i]);
    const int label = found != classes.end() ? static_cast<int>(found - classes.begin())
                                             : index_of(table.target[i], classes.size());
    if (label < 0)
      fail(fmt::format("target: {} is no class", quoted(table.target[i])), table.places[i],
           "name a score_CLASS column, or its index from 0");
    labels.push_back(label);
  }
  return labels;
}

/// Two columns from one: for a probability p the row 1 - p, p, in the order of the classes.
std::vector<double> widened(const std::vector<double>& scores, bool probabilities, int positive) {
  std::vector<double> rows;
  rows.reserve(2 * scores.size());
  for (const double score : scores) {
    const double other = probabilities ? 1.0 - score : -score;
    rows.push_back(positive == 0 ? score : other);
    rows.push_back(positive == 0 ? other : score);
  }
  return rows;
}

std::vector<std::string> groups_of(const PredictionTable& table, const std::string& column) {
  for (const auto& [name, values] : table.attributes) {
    if (name != (column.empty() ? "group" : column)) continue;
    for (std::size_t i = 0; i < values.size(); ++i)
      if (values[i].empty())
        fail(fmt::format("{} is empty", printable(name)), table.places[i],
             "every row needs its patient");
    return values;
  }
  if (column.empty()) return {};
  throw Error(ExitCode::usage, {fmt::format("no column {}", quoted(column)), "--group", ""});
}

}  // namespace

PredictionTable table_of(const std::vector<std::vector<std::string>>& records,
                         std::vector<std::string> places, const std::string& file) {
  if (records.size() < 2) fail("there are no predictions", file);
  const auto& header = records[0];
  if (std::set<std::string>(header.begin(), header.end()).size() != header.size())
    fail("two columns have the same name", file);
  const auto scores = score_columns(header, file);
  PredictionTable table;
  for (const auto column : scores)
    if (header[column] != "score")
      table.classes.push_back(header[column].substr(score_prefix.size()));
  bool has_target = false;
  for (std::size_t c = 0; c < header.size(); ++c) {
    if (std::find(scores.begin(), scores.end(), c) != scores.end()) continue;
    std::vector<std::string> values;
    for (std::size_t r = 1; r < records.size(); ++r) values.push_back(records[r][c]);
    has_target = has_target || header[c] == "target";
    if (header[c] == "target")
      table.target = std::move(values);
    else if (header[c] == "sample")
      table.sample = std::move(values);
    else
      table.attributes.emplace_back(header[c], std::move(values));
  }
  if (!has_target) fail("there is no column target", file);
  table.places.assign(places.begin() + 1, places.end());
  for (std::size_t r = 1; r < records.size(); ++r)
    for (const auto column : scores)
      table.scores.push_back(finite_number(records[r][column], header[column], places[r]));
  return table;
}

PredictionSet interpret(PredictionTable table, const PredictionOptions& options,
                        const std::string& file) {
  if (table.target.empty()) fail("there are no predictions", file);
  const bool single = table.classes.empty();
  PredictionSet set;
  set.classes = single ? classes_of(table, file) : table.classes;
  set.positive = positive_of(set.classes, single, options.positive);
  const std::size_t width = single ? 1 : set.classes.size();
  const bool probabilities = are_probabilities(table, width);
  set.outcomes.targets = labels_of(table, set.classes);
  set.outcomes.kind = probabilities ? eval::ScoreKind::probability : eval::ScoreKind::rank;
  set.outcomes.scores = eval::Probabilities(
      single ? widened(table.scores, probabilities, set.positive) : std::move(table.scores),
      static_cast<int>(set.classes.size()));
  set.outcomes.groups = groups_of(table, options.group);
  set.samples = std::move(table.sample);
  set.attributes = std::move(table.attributes);
  return set;
}

const std::vector<std::string>& PredictionSet::attribute(const std::string& name) const {
  std::vector<std::string> names;
  for (const auto& [known, values] : attributes) {
    if (known == name) return values;
    names.push_back(known);
  }
  throw Error(ExitCode::usage,
              {fmt::format("no column {}", quoted(name)), "--by", did_you_mean(name, names)});
}

}  // namespace bcx::cli
