#include "report/html.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace bcx::report {

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : printable(text)) switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  return out;
}

std::string script_json(const nlohmann::ordered_json& json) {
  std::string out;
  for (const char c : json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace))
    c == '<' ? out += "\\u003c" : out += c;
  return out;
}

HtmlTable::HtmlTable(std::vector<std::string> titles, std::string caption)
    : titles_(std::move(titles)), caption_(std::move(caption)) {}

std::string HtmlTable::html() const {
  if (rows_.empty()) return {};
  std::string out = "<div class=\"scroll\"><table>";
  if (!caption_.empty()) out += "<caption>" + escaped(caption_) + "</caption>";
  out += "<thead><tr>";
  const auto number = [&](std::size_t column) { return titles_[column].starts_with('#'); };
  for (std::size_t c = 0; c < titles_.size(); ++c)
    out += fmt::format("<th scope=\"col\"{}>{}</th>", number(c) ? " class=\"number\"" : "",
                       escaped(std::string_view(titles_[c]).substr(number(c) ? 1 : 0)));
  out += "</tr></thead><tbody>\n";
  for (const auto& row : rows_) {
    out += "<tr>";
    for (std::size_t c = 0; c < row.size(); ++c)
      out += fmt::format("<td{}>{}</td>", number(c) ? " class=\"number\"" : "", escaped(row[c]));
    out += "</tr>\n";
  }
  return out + "</tbody></table></div>\n";
}

std::string facts_html(const std::vector<std::pair<std::string, std::string>>& facts) {
  std::string out = "<dl>";
  for (const auto& [name, value] : facts)
    if (!value.empty())
      out += fmt::format("<dt>{}</dt><dd>{}</dd>\n", escaped(name), escaped(value));
  return out + "</dl>\n";
}

std::string paragraph(std::string_view text, std::string_view css_class) {
  if (css_class.empty()) return fmt::format("<p>{}</p>\n", escaped(text));
  return fmt::format("<p class=\"{}\">{}</p>\n", css_class, escaped(text));
}

std::string base64(std::string_view bytes) {
  constexpr std::string_view digits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t word = 0;
    const auto count = std::min<std::size_t>(3, bytes.size() - i);
    for (std::size_t k = 0; k < 3; ++k)
      word = word << 8 | (k < count ? static_cast<unsigned char>(bytes[i + k]) : 0u);
    for (std::size_t k = 0; k < 4; ++k) out += k <= count ? digits[word >> (18 - 6 * k) & 63] : '=';
  }
  return out;
}

std::string share_text(double value) {
  return std::isfinite(value) ? fmt::format("{:.3f}", value) : "-";
}

std::string number_text(double value) {
  return std::isfinite(value) ? fmt::format("{:.4g}", value) : "-";
}

}  // namespace bcx::report
