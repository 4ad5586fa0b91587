#include "data/csv.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"

namespace bcx::data {
namespace {

class Parser {
 public:
  Parser(std::string_view text, const std::string& name) : text_(text), name_(name) {
    if (text_.size() > csv_max_bytes) fail("more than 256 MiB");
    if (text_.starts_with("\xEF\xBB\xBF")) at_ = 3;
  }

  CsvRecords run() {
    while (at_ < text_.size()) {
      const std::size_t line = line_;
      auto record = read_record();
      if (record.size() == 1 && record[0].empty() && !quoted_) continue;  // an empty line
      if (!out_.records.empty() && record.size() != out_.records[0].size()) {
        line_ = line;
        fail(fmt::format("{} cells, the first line has {}", record.size(), out_.records[0].size()),
             "quote cells that hold a comma");
      }
      out_.records.push_back(std::move(record));
      out_.lines.push_back(line);
    }
    return std::move(out_);
  }

 private:
  [[noreturn]] void fail(std::string what, std::string remedy = {}) const {
    throw Error(ExitCode::data, {std::move(what), fmt::format("{}:{}", printable(name_), line_),
                                 std::move(remedy)});
  }

  std::vector<std::string> read_record() {
    std::vector<std::string> cells;
    quoted_ = false;
    for (;;) {
      if (cells.size() == csv_max_columns) fail(fmt::format("more than {} cells", csv_max_columns));
      cells.push_back(text_.substr(at_).starts_with('"') ? read_quoted() : read_plain());
      if (at_ < text_.size() && text_[at_] == ',') {
        ++at_;
        continue;
      }
      end_line();
      return cells;
    }
  }

  // Past the line end, or at the end of the text.
  void end_line() {
    if (at_ == text_.size()) return;
    if (text_.substr(at_).starts_with("\r\n")) ++at_;
    if (text_[at_] != '\n')
      fail("something follows a closing quote", "double quotes inside a cell");
    ++at_;
    ++line_;
  }

  std::string read_plain() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && text_[at_] != ',' && text_[at_] != '\n') {
      if (text_.substr(at_).starts_with("\r\n")) break;
      if (text_[at_] == '"')
        fail("a quote inside a cell", "quote the whole cell, doubling the quote");
      check(text_[at_], at_ - begin);
      ++at_;
    }
    return std::string(text_.substr(begin, at_ - begin));
  }

  std::string read_quoted() {
    quoted_ = true;
    std::string cell;
    for (++at_; at_ < text_.size(); ++at_) {
      if (text_[at_] == '"') {
        if (!text_.substr(at_ + 1).starts_with('"')) {
          ++at_;
          return cell;
        }
        ++at_;
      }
      if (text_[at_] == '\n') ++line_;
      cell += text_[at_];
      check(text_[at_], cell.size());
    }
    fail("a quote is not closed");
  }

  void check(char c, std::size_t size) const {
    if (c == '\0') fail("a NUL byte", "save the file as UTF-8 text");
    if (size > csv_max_cell) fail(fmt::format("a cell of more than {} bytes", csv_max_cell));
  }

  std::string_view text_;
  const std::string& name_;
  std::size_t at_ = 0, line_ = 1;
  bool quoted_ = false;
  CsvRecords out_;
};

}  // namespace

CsvRecords parse_csv(std::string_view text, const std::string& name) {
  return Parser(text, name).run();
}

}  // namespace bcx::data
