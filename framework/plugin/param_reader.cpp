#include "plugin/param_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <tuple>

#include "base/text.h"
#include "config/validate.h"

namespace bcx::plugin {

using config::Node;
using config::ParamSpec;
using config::Type;
using config::Value;

void Mistakes::add(const config::Origin& place, std::string what, std::string remedy) {
  found_.push_back({place.line, place.column,
                    Error(ExitCode::plugin, {std::move(what), place.text(), std::move(remedy)})});
}

void Mistakes::throw_if_any() {
  if (found_.empty()) return;
  std::ranges::stable_sort(found_, {},
                           [](const Placed& p) { return std::tuple(p.line, p.column); });
  std::vector<Error> errors;
  for (auto& placed : found_) errors.push_back(std::move(placed.error));
  throw ErrorList(std::move(errors));
}

ParamSpec required_field(const char* name, Type type) {
  ParamSpec spec;
  spec.name = name;
  spec.type = type;
  return spec;
}

ParamSpec optional_field(const char* name, Type type) {
  ParamSpec spec = required_field(name, type);
  // Only its presence matters: it says that the key may be absent.
  spec.default_value = std::string();
  return spec;
}

Fields::Fields(const Node& table, std::string_view title, std::span<const ParamSpec> declared,
               std::vector<std::string> others, Mistakes& mistakes)
    : table_(table) {
  for (const ParamSpec& spec : declared) {
    others.push_back(spec.name);
    const Node* node = table.find(spec.name);
    if (!node) {
      if (!spec.default_value)
        mistakes.add(table.origin,
                     title.empty() ? fmt::format("missing key \"{}\"", spec.name)
                                   : fmt::format("missing key \"{}\" in [{}]", spec.name, title));
      continue;
    }
    auto checked = config::check_value(spec, *node);
    if (checked.value)
      values_.emplace(spec.name, *std::move(checked.value));
    else
      mistakes.add(node->origin, fmt::format("{}: {}", spec.name, checked.mistake.what),
                   checked.mistake.remedy);
  }
  for (const auto& entry : table.entries)
    if (std::ranges::find(others, entry.key) == others.end())
      mistakes.add(entry.origin, fmt::format("unknown key \"{}\"", printable(entry.key)),
                   did_you_mean(entry.key, others));
}

const Value* Fields::value(std::string_view key) const {
  const auto found = values_.find(key);
  return found == values_.end() ? nullptr : &found->second;
}

std::string Fields::text(std::string_view key) const {
  const Value* held = value(key);
  return held ? std::get<std::string>(*held) : std::string();
}

std::string Fields::name(std::string_view key, Mistakes& mistakes) const {
  const Value* held = value(key);
  if (!held) return {};
  const auto& name = std::get<std::string>(*held);
  const bool good = !name.empty() && name.size() <= 64 && name[0] >= 'a' && name[0] <= 'z' &&
                    name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == name.npos;
  if (good) return name;
  mistakes.add(table_.find(key)->origin,
               fmt::format("{}: expected lower-case letters, digits and _, a letter first, at most "
                           "64 in all, got \"{}\"",
                           key, printable(clip(name, 80))));
  return {};
}

const Node* table_at(const Node& table, std::string_view key, Mistakes& mistakes) {
  const Node* node = table.find(key);
  if (!node || node->is_table()) return node;
  mistakes.add(node->origin, fmt::format("{0}: expected a table, got {1}", key, describe(*node)));
  return nullptr;
}

std::span<const Node> tables_at(const Node& table, std::string_view key, Mistakes& mistakes) {
  const Node* node = table.find(key);
  if (!node) return {};
  if (node->is_table_list()) return node->items;
  mistakes.add(node->origin,
               fmt::format("{}: expected a list of tables, got {}", key, describe(*node)),
               fmt::format("write [[{}]]", key));
  return {};
}

namespace {

constexpr Type all_types[] = {Type::boolean, Type::integer,  Type::real,     Type::string,
                              Type::path,    Type::booleans, Type::integers, Type::reals,
                              Type::strings, Type::paths};

Type element_of(Type type) {
  const int first_list = static_cast<int>(Type::booleans);
  const int index = static_cast<int>(type);
  return index < first_list ? type : static_cast<Type>(index - first_list);
}

const std::vector<ParamSpec>& param_fields() {
  static const std::vector<ParamSpec> fields = [] {
    std::vector<ParamSpec> specs{required_field("name"),    required_field("type"),
                                 optional_field("unit"),    optional_field("doc"),
                                 optional_field("at_most"), optional_field("window")};
    for (const char* window : {"side", "area"}) specs[5].choices.emplace_back(std::string(window));
    for (const Type type : all_types) specs[1].choices.emplace_back(std::string(name_of(type)));
    return specs;
  }();
  return fields;
}

// One end of a range, from whichever of the two keys is there.
void read_bound(const Node& table, Type element, const char* inclusive, const char* exclusive,
                std::optional<double>& bound, bool& is_exclusive, Mistakes& mistakes) {
  const Node* soft = table.find(inclusive);
  const Node* hard = table.find(exclusive);
  if (soft && hard)
    return mistakes.add(hard->origin, fmt::format("{} stands beside {}", exclusive, inclusive),
                        "keep one of them");
  const Node* node = soft ? soft : hard;
  if (!node) return;
  const char* key = soft ? inclusive : exclusive;
  if (element != Type::integer && element != Type::real)
    return mistakes.add(node->origin, fmt::format("{}: only numbers have a range", key));
  const auto checked = check_value(required_field(key, element), *node);
  if (!checked.value)
    return mistakes.add(node->origin, fmt::format("{}: {}", key, checked.mistake.what),
                        checked.mistake.remedy);
  bound = element == Type::integer ? static_cast<double>(std::get<std::int64_t>(*checked.value))
                                   : std::get<double>(*checked.value);
  is_exclusive = hard != nullptr;
}

void read_range(const Node& table, ParamSpec& spec, Mistakes& mistakes) {
  const Type element = element_of(spec.type);
  read_bound(table, element, "min", "exclusive_min", spec.minimum, spec.exclusive_minimum,
             mistakes);
  read_bound(table, element, "max", "exclusive_max", spec.maximum, spec.exclusive_maximum,
             mistakes);
  if (!spec.minimum || !spec.maximum) return;
  const bool open = spec.exclusive_minimum || spec.exclusive_maximum;
  if (*spec.minimum < *spec.maximum || (*spec.minimum == *spec.maximum && !open)) return;
  mistakes.add(table.origin,
               fmt::format("the range of \"{}\" is empty: {}", spec.name, range_text(spec)));
  spec.minimum = spec.maximum = std::nullopt;
}

void read_choices(const Node& table, ParamSpec& spec, Mistakes& mistakes) {
  const Node* node = table.find("choices");
  if (!node) return;
  if (!node->is_list() || node->items.empty())
    return mistakes.add(
        node->origin,
        fmt::format("choices: expected a list of at least one value, got {}", describe(*node)));
  if (spec.minimum || spec.maximum)
    return mistakes.add(node->origin, "choices stand beside a range", "keep one of them");
  for (const Node& item : node->items) {
    auto checked = check_value(required_field("choices", element_of(spec.type)), item);
    if (checked.value)
      spec.choices.push_back(*std::move(checked.value));
    else
      mistakes.add(item.origin, fmt::format("choices: {}", checked.mistake.what),
                   checked.mistake.remedy);
  }
}

void read_default(const Node& table, ParamSpec& spec, Mistakes& mistakes) {
  const Node* node = table.find("default");
  if (!node) return;
  auto checked = check_value(spec, *node);
  if (checked.value)
    spec.default_value = std::move(checked.value);
  else
    mistakes.add(node->origin, fmt::format("default: {}", checked.mistake.what),
                 checked.mistake.remedy);
}

}  // namespace

ParamSpec read_param(const Node& table, config::ComponentKind kind, Mistakes& mistakes) {
  const Fields fields(table, "component.param", param_fields(),
                      {"default", "min", "max", "exclusive_min", "exclusive_max", "choices"},
                      mistakes);
  ParamSpec spec;
  spec.name = fields.name("name", mistakes);
  spec.unit = fields.text("unit");
  spec.doc = fields.text("doc");
  spec.at_most = fields.text("at_most");
  spec.window = fields.text("window");
  const bool taken = spec.name == "name" || spec.name == "enabled" ||
                     (kind == config::ComponentKind::optimizer && spec.name == "learning_rate");
  if (taken)
    mistakes.add(table.find("name")->origin,
                 fmt::format("name: \"{}\" is a word of the experiment file itself", spec.name),
                 "choose another");
  const auto type =
      std::ranges::find(all_types, fields.text("type"), [](Type t) { return name_of(t); });
  if (type == std::end(all_types)) return spec;  // reported by Fields
  spec.type = *type;
  read_range(table, spec, mistakes);
  read_choices(table, spec, mistakes);
  read_default(table, spec, mistakes);
  return spec;
}

}  // namespace bcx::plugin
