// Pieces of an HTML page. Everything that comes from a run goes through escaped().
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace bcx::report {

/// Safe between tags and within a quoted attribute: control characters and malformed UTF-8 become
/// visible (printable()), `& < > " '` character references.
std::string escaped(std::string_view text);

/// JSON that may stand inside a script element: no `<` is left, not-a-number is null.
std::string script_json(const nlohmann::ordered_json& json);

/// A table of texts; cells are escaped. Columns whose title begins with '#' hold numbers (the mark
/// is not shown).
class HtmlTable {
 public:
  explicit HtmlTable(std::vector<std::string> titles, std::string caption = {});
  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  bool empty() const { return rows_.empty(); }
  std::string html() const;

 private:
  std::vector<std::string> titles_;
  std::string caption_;
  std::vector<std::vector<std::string>> rows_;
};

/// `<dl>` of facts; those without a text are left out.
std::string facts_html(const std::vector<std::pair<std::string, std::string>>& facts);

/// `<p class=...>`, the text escaped.
std::string paragraph(std::string_view text, std::string_view css_class = {});

/// A part of the page with a heading, listed in the contents. `id` is [a-z0-9-]; `body` is HTML.
struct Section {
  std::string id, title, body;
};

/// Base 64 (RFC 4648).
std::string base64(std::string_view bytes);

/// 0.912; `-` for not-a-number.
std::string share_text(double value);
/// Four significant digits.
std::string number_text(double value);

}  // namespace bcx::report
