#include "base/table.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <numeric>

#include "base/text.h"

namespace bcx {
namespace {

using Rows = std::vector<std::vector<std::string>>;

std::string cell(const std::vector<std::string>& row, std::size_t column) {
  return column < row.size() ? printable(row[column]) : std::string{};
}

std::vector<int> natural_widths(const std::vector<Column>& columns, const Rows& rows) {
  std::vector<int> widths;
  for (std::size_t c = 0; c < columns.size(); ++c) {
    int width = display_width(printable(columns[c].title));
    for (const auto& row : rows) width = std::max(width, display_width(cell(row, c)));
    widths.push_back(width);
  }
  return widths;
}

/// Narrows the widest of the most yielding columns, one place at a time, until the table fits.
void shrink(std::vector<int>& widths, const std::vector<Column>& columns, int width) {
  constexpr int narrowest = 6;
  const int gaps = 2 * (static_cast<int>(widths.size()) - 1);
  while (std::accumulate(widths.begin(), widths.end(), gaps) > width) {
    int victim = -1;
    for (std::size_t c = 0; c < widths.size(); ++c) {
      if (columns[c].yield == 0 || widths[c] <= narrowest) continue;
      if (victim < 0 || columns[c].yield > columns[victim].yield ||
          (columns[c].yield == columns[victim].yield && widths[c] > widths[victim]))
        victim = static_cast<int>(c);
    }
    if (victim < 0) return;
    --widths[victim];
  }
}

std::string line(const std::vector<std::string>& cells, const std::vector<int>& widths,
                 const std::vector<Column>& columns) {
  std::string out;
  for (std::size_t c = 0; c < columns.size(); ++c) {
    const std::string text = clip(cells[c], widths[c]);
    const std::string padding(std::max(0, widths[c] - display_width(text)), ' ');
    if (c > 0) out += "  ";
    out += columns[c].align == Align::right ? padding + text : text + padding;
  }
  out.erase(out.find_last_not_of(' ') + 1);
  return out + "\n";
}

}  // namespace

std::string Table::text(int width) const {
  auto widths = natural_widths(columns_, rows_);
  if (width > 0) shrink(widths, columns_, width);
  std::vector<std::string> cells;
  for (const auto& column : columns_) cells.push_back(printable(column.title));
  std::string out = line(cells, widths, columns_);
  for (const auto& row : rows_) {
    for (std::size_t c = 0; c < columns_.size(); ++c) cells[c] = cell(row, c);
    out += line(cells, widths, columns_);
  }
  return out;
}

std::string Table::markdown() const {
  const auto escaped = [](std::string text) {
    for (std::size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2)
      text.insert(at, "\\");
    return text;
  };
  std::string titles = "|", rule = "|", body;
  for (const auto& column : columns_) {
    titles += " " + escaped(printable(column.title)) + " |";
    rule += column.align == Align::right ? " ---: |" : " --- |";
  }
  for (const auto& row : rows_) {
    body += "|";
    for (std::size_t c = 0; c < columns_.size(); ++c) body += " " + escaped(cell(row, c)) + " |";
    body += "\n";
  }
  return titles + "\n" + rule + "\n" + body;
}

std::string csv_cell(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + "\"";
}

std::string Table::csv() const {
  std::string out;
  for (std::size_t c = 0; c < columns_.size(); ++c)
    out += (c > 0 ? "," : "") + csv_cell(columns_[c].title);
  out += "\n";
  for (const auto& row : rows_) {
    for (std::size_t c = 0; c < columns_.size(); ++c)
      out += (c > 0 ? "," : "") + csv_cell(c < row.size() ? row[c] : std::string{});
    out += "\n";
  }
  return out;
}

int terminal_width() {
  if (const char* told = std::getenv("COLUMNS"))
    if (const int columns = std::atoi(told); columns > 0) return columns;
  winsize size{};
  if (isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0) return size.ws_col;
  return 0;
}

}  // namespace bcx
