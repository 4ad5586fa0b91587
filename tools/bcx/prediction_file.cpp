#include "prediction_file.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/paths.h"
#include "base/text.h"
#include "data/csv.h"
#include "prediction_table.h"

namespace bcx::cli {
namespace {

using nlohmann::json;

constexpr std::uintmax_t json_max_bytes = std::uintmax_t{1} << 26;
constexpr int json_max_depth = 6;
constexpr std::size_t max_classes = 1000;

[[noreturn]] void fail(const std::string& what, const std::string& where) {
  throw Error(ExitCode::data, {what, where, ""});
}

PredictionTable read_csv(const std::filesystem::path& path, const std::string& name) {
  auto csv = data::parse_csv(read_text(path, data::csv_max_bytes, ExitCode::data), name);
  std::vector<std::string> places;
  for (const auto line : csv.lines) places.push_back(fmt::format("{}:{}", name, line));
  return table_of(csv.records, std::move(places), name);
}

json parse_json(const std::filesystem::path& path, const std::string& name) {
  const auto text = read_text(path, json_max_bytes, ExitCode::data);
  const auto shallow = [&](int depth, json::parse_event_t, const json&) {
    if (depth > json_max_depth) fail("nested too deeply for predictions", name);
    return true;
  };
  try {
    return json::parse(text, shallow);
  } catch (const json::parse_error& error) {
    fail(fmt::format("not valid JSON at byte {}", error.byte), name);
  }
}

/// A text, number or boolean as a cell.
std::string cell_of(const json& value, const std::string& key, const std::string& place) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number_float()) return shortest(value.get<double>());
  if (value.is_number() || value.is_boolean()) return value.dump();
  fail(fmt::format("{}: expected a text or a number", printable(key)), place);
}

double number_of(const json& value, const std::string& key, const std::string& place) {
  if (!value.is_number()) fail(fmt::format("{}: expected a number", printable(key)), place);
  return value.get<double>();
}

std::string row_place(const std::string& name, std::size_t row) {
  return fmt::format("{}: row {}", name, row + 1);
}

/// [{"target": 1, "score": 0.3, ...}, ...] becomes the records of a CSV file.
PredictionTable read_rows(const json& rows, const std::string& name) {
  std::vector<std::vector<std::string>> records(1);
  std::vector<std::string> places{name};
  for (std::size_t r = 0; r < rows.size(); ++r) {
    const auto place = row_place(name, r);
    if (!rows[r].is_object()) fail("expected an object", place);
    std::vector<std::string> header, cells;
    for (const auto& [key, value] : rows[r].items()) {
      const bool several = key == "score" && value.is_array();
      for (std::size_t k = 0; several && k < value.size(); ++k) {
        header.push_back(fmt::format("score_{}", k));
        cells.push_back(cell_of(value[k], key, place));
      }
      if (several) continue;
      header.push_back(key);
      cells.push_back(cell_of(value, key, place));
    }
    if (r == 0) records[0] = header;
    if (header.size() > max_classes || header != records[0])
      fail("its keys are not those of row 1", place);
    records.push_back(std::move(cells));
    places.push_back(place);
  }
  return table_of(records, std::move(places), name);
}

const json& array_of(const json& object, const std::string& key, std::size_t size,
                     const std::string& name) {
  const auto& values = object.at(key);
  if (!values.is_array()) fail(fmt::format("{}: expected an array", printable(key)), name);
  if (values.size() != size)
    fail(fmt::format("{}: {} values, target has {}", printable(key), values.size(), size), name);
  return values;
}

void read_scores(const json& values, const std::string& key, const std::string& name,
                 PredictionTable& table) {
  const std::size_t width = values[0].is_array() ? values[0].size() : 1;
  if (values[0].is_array()) {
    if (width < 2 || width > max_classes) fail(key + ": expected 2 to 1000 classes", name);
    for (std::size_t k = 0; k < width; ++k) table.classes.push_back(fmt::format("{}", k));
  }
  for (std::size_t r = 0; r < values.size(); ++r) {
    const auto place = row_place(name, r);
    if (values[r].is_array() != values[0].is_array() ||
        (values[r].is_array() && values[r].size() != width))
      fail(key + ": another number of classes than in row 1", place);
    if (!values[r].is_array())
      table.scores.push_back(number_of(values[r], key, place));
    else
      for (const auto& value : values[r]) table.scores.push_back(number_of(value, key, place));
  }
}

/// {"target": [..], "probability": [[..], ..], ...}.
PredictionTable read_columns(const json& object, const std::string& name) {
  if (!object.is_object() || !object.contains("target") || !object["target"].is_array())
    fail("expected an object with an array \"target\"", name);
  PredictionTable table;
  const std::size_t rows = object["target"].size();
  if (rows == 0) fail("there are no predictions", name);
  const std::string key = object.contains("probability") ? "probability" : "score";
  if (!object.contains(key)) fail("there is no \"probability\" and no \"score\"", name);
  read_scores(array_of(object, key, rows, name), key, name, table);
  const auto texts = [&](const json& from, const std::string& of) {
    std::vector<std::string> cells;
    const auto& values = array_of(from, of, rows, name);
    for (std::size_t r = 0; r < rows; ++r)
      cells.push_back(cell_of(values[r], of, row_place(name, r)));
    return cells;
  };
  table.target = texts(object, "target");
  if (object.contains("sample")) table.sample = texts(object, "sample");
  if (object.contains("group")) table.attributes.emplace_back("group", texts(object, "group"));
  if (object.contains("attributes")) {
    if (!object["attributes"].is_object()) fail("attributes: expected an object", name);
    for (const auto& [attribute, values] : object["attributes"].items())
      table.attributes.emplace_back(attribute, texts(object["attributes"], attribute));
  }
  for (std::size_t r = 0; r < rows; ++r) table.places.push_back(row_place(name, r));
  return table;
}

}  // namespace

std::vector<PredictionSet> read_predictions(const std::filesystem::path& file,
                                            const PredictionOptions& options) {
  const std::string name = printable(file.string());
  const auto ending = lower(file.extension().string());
  if (ending == ".csv") return {interpret(read_csv(file, name), options, name)};
  if (ending != ".json") throw Error(ExitCode::usage, {"expected FILE.csv or FILE.json", name, ""});
  const json content = parse_json(file, name);
  if (content.is_array()) return {interpret(read_rows(content, name), options, name)};
  if (!content.is_object() || !content.contains("cases"))
    return {interpret(read_columns(content, name), options, name)};
  const auto& cases = content["cases"];
  if (!cases.is_array() || cases.empty()) fail("cases: expected an array that is not empty", name);
  std::vector<PredictionSet> sets;
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const auto place = fmt::format("{}: case {}", name, i + 1);
    sets.push_back(interpret(read_columns(cases[i], place), options, place));
  }
  return sets;
}

}  // namespace bcx::cli
