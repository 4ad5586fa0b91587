// Text tables for terminals.
#pragma once

#include <string>
#include <vector>

namespace bcx {

enum class Align { left, right };

/// A column of a table. When the table is wider than the terminal, columns with the highest
/// `yield` are clipped first (0: never).
struct Column {
  std::string title;
  Align align = Align::left;
  int yield = 1;
};

/// Rows of cells under titles, rendered with two spaces between columns. Both are shown through
/// printable(); a row may be shorter than the columns.
class Table {
 public:
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}
  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  bool empty() const { return rows_.empty(); }

  /// Text that fits `width` columns (0: as wide as needed), ending in a newline.
  std::string text(int width = 0) const;
  std::string markdown() const;
  /// RFC 4180, with CRLF line ends only inside quoted cells as given; lines end in "\n".
  std::string csv() const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

/// One cell quoted as RFC 4180 asks where it holds a comma, a quote or a line end.
std::string csv_cell(const std::string& text);

/// Columns of the terminal behind standard output; 0 when it is none. COLUMNS overrides.
int terminal_width();

}  // namespace bcx
