#include "csv_file.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>

namespace csv_log {
namespace {

constexpr std::size_t own_columns = 2;  // epoch, step

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, separator);) parts.push_back(part);
  return parts;
}

std::string shortest(double value) {
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, value).ptr};
}

/// A metric's name without the characters that CSV reads otherwise.
std::string column_name(std::string name) {
  std::replace_if(
      name.begin(), name.end(),
      [](char c) { return c == ',' || c == '"' || c == '\n' || c == '\r'; }, '_');
  return name;
}

void write(const std::filesystem::path& path, const std::string& text, std::ios::openmode mode) {
  std::ofstream file(path, mode | std::ios::binary);
  file << text << std::flush;
  if (!file) throw std::runtime_error("cannot write " + path.string());
}

}  // namespace

std::string CsvFile::header() const {
  std::string text = "epoch,step";
  for (const auto& column : columns_) text += "," + column;
  return text + "\n";
}

/// The rows after the header. A last line without its end is left out: the process died in it.
std::vector<std::string> CsvFile::read_rows() const {
  std::ifstream file(path_, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  auto rows = split(text.substr(0, text.rfind('\n') + 1), '\n');
  if (!rows.empty()) rows.erase(rows.begin());
  return rows;
}

void CsvFile::rewrite(const std::vector<std::string>& rows) const {
  std::string text = header();
  for (const auto& row : rows) text += row + "\n";
  std::filesystem::create_directories(path_.parent_path());
  auto temporary = path_;
  temporary += ".part";
  write(temporary, text, std::ios::trunc);
  std::filesystem::rename(temporary, path_);
}

void CsvFile::resume(std::int64_t first_epoch) {
  std::ifstream file(path_, std::ios::binary);
  std::string first_line;
  if (!std::getline(file, first_line)) return;
  const auto names = split(first_line, ',');
  if (names.size() > own_columns) columns_.assign(names.begin() + own_columns, names.end());
  auto rows = read_rows();
  std::erase_if(rows, [&](const std::string& row) {
    return std::strtoll(row.c_str(), nullptr, 10) >= first_epoch;
  });
  if (rows.empty()) columns_.clear();
  rewrite(rows);
}

void CsvFile::append(std::int64_t epoch, std::int64_t step, const bcx::sdk::Metrics& metrics) {
  const auto known = columns_.size();
  std::vector<std::string> cells(known);
  for (const auto& [name, value] : metrics) {
    const auto column = column_name(name);
    const auto index = static_cast<std::size_t>(
        std::find(columns_.begin(), columns_.end(), column) - columns_.begin());
    if (index == columns_.size()) {
      columns_.push_back(column);
      cells.emplace_back();
    }
    cells[index] = shortest(value);
  }
  if (columns_.size() > known || known == 0) {
    auto rows = read_rows();
    for (auto& row : rows) row.append(columns_.size() - known, ',');
    rewrite(rows);
  }
  std::string row = std::to_string(epoch) + "," + std::to_string(step);
  for (const auto& cell : cells) row += "," + cell;
  write(path_, row + "\n", std::ios::app);
}

}  // namespace csv_log
