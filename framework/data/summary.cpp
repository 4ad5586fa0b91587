#include "data/summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/text.h"
#include "data/scan.h"

namespace bcx::data {
namespace {

constexpr std::size_t shown_values = 6, most_rows = 50, rows_of_many = 40;

// Rows that a table of so many classes has: all, or of very many the first.
std::size_t shown_of(std::size_t classes) {
  return classes > most_rows ? rows_of_many : classes;
}

void add_rest(Table& table, std::size_t classes) {
  if (classes > most_rows)
    table.add({fmt::format("and {} more classes (--json has all)",
                           grouped(static_cast<std::int64_t>(classes - rows_of_many)))});
}

std::string plural_of(const std::string& key) {
  return key.ends_with('s') || key.ends_with('h') ? key + "es" : key + "s";
}

std::string most_frequent(const std::map<std::string_view, std::int64_t>& counts) {
  std::vector<std::pair<std::string_view, std::int64_t>> order(counts.begin(), counts.end());
  std::stable_sort(order.begin(), order.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  std::vector<std::string> parts;
  for (const auto& [value, count] : order) {
    if (parts.size() == shown_values) {
      parts.push_back("...");
      break;
    }
    parts.push_back(
        fmt::format("{} ({})", value.empty() ? "unknown" : std::string(value), grouped(count)));
  }
  return join(parts, ", ");
}

}  // namespace

Table class_table(const SampleTable& table) {
  const auto keys = group_keys(table);
  std::vector<std::size_t> attributes;
  std::vector<Column> columns{{"class"}, {"images", Align::right, 0}};
  for (const auto& key : keys) {
    attributes.push_back(*table.attribute(key));
    columns.push_back({plural_of(key), Align::right, 0});
  }
  struct Counts {
    std::int64_t images = 0;
    std::vector<std::set<std::string_view>> values;
  };
  std::vector<Counts> counts(table.classes.size());
  for (auto& one : counts) one.values.resize(keys.size());
  for (const auto& sample : table.samples) {
    auto& [images, values] = counts[static_cast<std::size_t>(sample.label)];
    ++images;
    for (std::size_t i = 0; i < keys.size(); ++i)
      values[i].insert(sample.attributes[attributes[i]]);
  }
  Table result(std::move(columns));
  for (std::size_t k = 0; k < shown_of(counts.size()); ++k) {
    const bool positive = static_cast<int>(k) == table.positive && table.classes.size() == 2;
    std::vector<std::string> row{table.classes[k] + (positive ? " (positive)" : ""),
                                 grouped(counts[k].images)};
    for (const auto& of : counts[k].values)
      row.push_back(grouped(static_cast<std::int64_t>(of.size())));
    result.add(std::move(row));
  }
  add_rest(result, counts.size());
  return result;
}

Table attribute_table(const SampleTable& table) {
  Table result({{"attribute", Align::left, 0}, {"values", Align::right, 0}, {"most frequent"}});
  for (std::size_t i = 0; i < table.attribute_names.size(); ++i) {
    std::map<std::string_view, std::int64_t> counts;
    for (const auto& sample : table.samples) ++counts[sample.attributes[i]];
    result.add({table.attribute_names[i], grouped(static_cast<std::int64_t>(counts.size())),
                most_frequent(counts)});
  }
  return result;
}

Table split_table(const SampleTable& table, const Split& split) {
  constexpr std::array<Part, 4> parts{Part::train, Part::validation, Part::test, Part::unused};
  std::vector<Column> columns{{"class"}};
  std::vector<std::size_t> shown;
  for (const Part part : parts) {
    const auto column = static_cast<std::size_t>(part);
    const bool any = std::any_of(split.images.begin(), split.images.end(),
                                 [&](const auto& row) { return row[column] > 0; });
    if (part == Part::unused && !any) continue;
    shown.push_back(column);
    columns.push_back({std::string(name_of(part)), Align::right, 0});
  }
  Table result(std::move(columns));
  for (std::size_t k = 0; k < shown_of(table.classes.size()); ++k) {
    std::vector<std::string> row{table.classes[k]};
    for (const auto column : shown) {
      const auto images = grouped(split.images[k][column]);
      row.push_back(split.group.empty()
                        ? images
                        : fmt::format("{} ({})", images, grouped(split.groups[k][column])));
    }
    result.add(std::move(row));
  }
  add_rest(result, table.classes.size());
  return result;
}

std::string split_line(const Split& split) {
  std::string text = split.method + " by " + printable(split.group.empty() ? "image" : split.group);
  if (split.folds > 1) text += fmt::format(", fold {} of {}", split.fold, split.folds);
  if (!split.stamps.empty()) text += " [" + join(split.stamps, " ") + "]";
  return text;
}

Table finding_table(const AuditReport& report) {
  Table result({{"finding", Align::left, 0},
                {"", Align::left, 0},
                {"what"},
                {"for example", Align::left, 2}});
  for (const auto& finding : report.findings) {
    result.add({finding.name, finding.allowed ? "allowed" : "stops", finding.text,
                finding.examples.empty() ? "" : finding.examples.front()});
  }
  return result;
}

}  // namespace bcx::data
