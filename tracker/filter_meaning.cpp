#include "tracker/filter_meaning.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace bcx::tracker {

ValueType type_of(const FilterValue& value) {
  if (std::holds_alternative<bool>(value)) return ValueType::boolean;
  return std::holds_alternative<FilterText>(value) ? ValueType::text : ValueType::number;
}

const char* name_of(ValueType type) {
  switch (type) {
    case ValueType::number:
      return "a number";
    case ValueType::text:
      return "a text";
    case ValueType::time:
      return "a time";
    default:
      return "true or false";
  }
}

const FilterText& text_of(const FilterTerm& term) {
  return std::get<FilterText>(*term.value);
}

void FilterMeaning::fail(const FilterTerm& term, std::string what, std::string remedy) const {
  throw filter_error(filter_.text, term.at, term.length, std::move(what), std::move(remedy));
}

FilterKey FilterMeaning::look_up(const FilterTerm& term, bool compared) const {
  FilterKey out;
  try {
    out.key = resolve_key(known_, term.key);
  } catch (const Error& error) {
    auto remedy = error.parts().remedy;
    if (compared && remedy.empty())
      remedy = fmt::format("a text is written in quotes: \"{}\"", printable(term.key));
    fail(term, error.parts().what, std::move(remedy));
  }
  out.key.function = term.function;
  if (out.key.kind == Key::Kind::metric)
    out.type = ValueType::number;
  else if (!term.function.empty())
    fail(term, fmt::format("{} is no metric: {} has no meaning for it", printable(out.key.name),
                           term.function));
  if (out.key.kind == Key::Kind::column) {
    out.column = find_run_column(out.key.name);
    out.type = out.column->kind == RunColumn::Kind::text     ? ValueType::text
               : out.column->kind == RunColumn::Kind::number ? ValueType::number
                                                             : ValueType::time;
  }
  return out;
}

ValueType FilterMeaning::agreed(const FilterKey& key, const FilterTerm& literal) const {
  const ValueType given = type_of(*literal.value);
  if (given == ValueType::text && text_of(literal).unquoted_time && key.type != ValueType::time)
    fail(literal, fmt::format("{} is no time", printable(key.key.name)));
  if (key.type == ValueType::any) return given;
  if (key.type == ValueType::time && given == ValueType::text) return ValueType::time;
  if (key.type != given)
    fail(literal,
         fmt::format("{} is {}, and is compared here with {}", printable(key.key.name),
                     name_of(key.type), name_of(given)),
         key.type == ValueType::time ? "write a time such as \"-7d\" or \"2026-11-23\"" : "");
  check_status(key, literal);
  return given;
}

void FilterMeaning::check_status(const FilterKey& key, const FilterTerm& literal) const {
  if (!key.column || key.column->word != "status") return;
  const std::vector<std::string> all{"running", "finished", "stopped",
                                     "failed",  "crashed",  "unknown"};
  const auto& text = text_of(literal).text;
  if (std::find(all.begin(), all.end(), text) != all.end()) return;
  const auto near = did_you_mean(text, all);
  fail(literal, fmt::format("there is no status \"{}\"", printable(text)),
       near.empty() ? "there are " + join(all, ", ") : near);
}

TimeSpan FilterMeaning::span(const FilterTerm& literal) const {
  const auto span = parse_time(text_of(literal).text, now_);
  if (!span)
    fail(literal, fmt::format("\"{}\" is no time", printable(text_of(literal).text)),
         "write \"-7d\", \"today\", \"2026-11-23\" or \"2026-11-23 06:41\"");
  return *span;
}

}  // namespace bcx::tracker
