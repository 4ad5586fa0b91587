#include "plugin/manifest.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <span>

#include "base/error.h"
#include "base/text.h"
#include "config/document.h"
#include "config/validate.h"
#include "plugin/param_reader.h"

namespace bcx::plugin {
namespace {

using config::ComponentKind;
using config::ComponentSpec;
using config::Node;
using config::ParamSpec;
using config::Type;

ParamSpec at_least(const char* name, Type type, double minimum, bool exclusive = false) {
  ParamSpec spec = optional_field(name, type);
  spec.minimum = minimum;
  spec.exclusive_minimum = exclusive;
  return spec;
}

const std::vector<ParamSpec>& file_fields() {
  static const std::vector<ParamSpec> fields = [] {
    std::vector<ParamSpec> specs{required_field("name"), required_field("kind"),
                                 required_field("version"), required_field("summary")};
    for (const char* kind : {"backbone", "augmentation", "optimizer", "callback"})
      specs[1].choices.emplace_back(std::string(kind));
    return specs;
  }();
  return fields;
}

const std::vector<ParamSpec>& component_fields() {
  static const std::vector<ParamSpec> fields = [] {
    std::vector<ParamSpec> specs{required_field("name"), optional_field("summary"),
                                 optional_field("stage")};
    specs[2].choices.emplace_back(std::string("preprocess"));
    return specs;
  }();
  return fields;
}

const std::vector<ParamSpec>& fact_fields() {
  static const std::vector<ParamSpec> fields{
      at_least("parameters", Type::integer, 0),    at_least("gmacs_224", Type::real, 0, true),
      at_least("smallest_size", Type::integer, 1), at_least("channels", Type::integer, 1),
      optional_field("weights", Type::strings),    optional_field("metrics", Type::strings)};
  return fields;
}

bool is_version(std::string_view text) {
  const auto parts = split(text, '.');
  return parts.size() == 3 && std::ranges::all_of(parts, [](const std::string& part) {
           return !part.empty() && part.size() <= 6 &&
                  part.find_first_not_of("0123456789") == std::string::npos;
         });
}

ComponentKind kind_named(const std::string& name) {
  if (name == "augmentation") return ComponentKind::augmentation;
  if (name == "optimizer") return ComponentKind::optimizer;
  if (name == "callback") return ComponentKind::callback;
  return ComponentKind::backbone;
}

template <typename T>
std::optional<T> number(const Fields& fields, std::string_view key) {
  const auto* value = fields.value(key);
  return value ? std::optional<T>(std::get<T>(*value)) : std::nullopt;
}

config::Facts read_facts(const Node& table, Mistakes& mistakes) {
  const Fields fields(table, "component.facts", fact_fields(), {}, mistakes);
  config::Facts facts;
  facts.parameters = number<std::int64_t>(fields, "parameters");
  facts.gmacs_224 = number<double>(fields, "gmacs_224");
  facts.smallest_size = number<std::int64_t>(fields, "smallest_size");
  facts.channels = number<std::int64_t>(fields, "channels");
  if (const auto* weights = fields.value("weights"))
    facts.weights = std::get<std::vector<std::string>>(*weights);
  if (const auto* metrics = fields.value("metrics"))
    facts.metrics = std::get<std::vector<std::string>>(*metrics);
  return facts;
}

std::optional<double> as_number(const config::Value& value) {
  if (const auto* real = std::get_if<double>(&value)) return *real;
  if (const auto* integer = std::get_if<std::int64_t>(&value)) return static_cast<double>(*integer);
  return std::nullopt;
}

/// What one parameter says about another.
void check_relations(const Node& table, const ComponentSpec& component, Mistakes& mistakes) {
  const auto is_number = [](const ParamSpec& spec) {
    return spec.type == Type::integer || spec.type == Type::real;
  };
  for (std::size_t i = 0; i < component.params.size(); ++i) {
    const ParamSpec& param = component.params[i];
    const Node& node = table.find("param")->items[i];
    if (!param.window.empty() && param.type != Type::real)
      mistakes.add(node.find("window")->origin, "window: only a float is a share of the picture");
    if (param.at_most.empty()) continue;
    const auto other = std::ranges::find(component.params, param.at_most, &ParamSpec::name);
    const auto& place = node.find("at_most")->origin;
    if (other == component.params.end() || !is_number(*other) || !is_number(param)) {
      mistakes.add(place, fmt::format("at_most: expected the name of another number, got \"{}\"",
                                      printable(clip(param.at_most, 80))));
      continue;
    }
    if (!param.default_value || !other->default_value) continue;
    const auto low = as_number(*param.default_value), high = as_number(*other->default_value);
    if (low && high && *low > *high)
      mistakes.add(place,
                   fmt::format("at_most: the default of \"{}\" is larger than that of \"{}\"",
                               param.name, other->name));
  }
}

ComponentSpec read_component(const Node& table, const Manifest& file, Mistakes& mistakes) {
  const Fields fields(table, "component", component_fields(), {"param", "facts"}, mistakes);
  ComponentSpec component;
  component.name = fields.name("name", mistakes);
  component.kind = file.kind;
  component.plugin = file.name;
  component.version = file.version;
  component.summary = fields.text("summary").empty() ? file.summary : fields.text("summary");
  if (!fields.text("stage").empty()) {
    if (file.kind == ComponentKind::augmentation)
      component.kind = ComponentKind::preprocess;
    else
      mistakes.add(table.find("stage")->origin, "only augmentations have a stage");
  }
  if (const Node* facts = table_at(table, "facts", mistakes))
    component.facts = read_facts(*facts, mistakes);
  std::set<std::string> names;
  for (const Node& node : tables_at(table, "param", mistakes)) {
    component.params.push_back(read_param(node, component.kind, mistakes));
    const auto& name = component.params.back().name;
    if (!name.empty() && !names.insert(name).second)
      mistakes.add(node.origin, fmt::format("parameter \"{}\" is declared twice", name));
  }
  check_relations(table, component, mistakes);
  return component;
}

Manifest read_file(const Node& root, Mistakes& mistakes) {
  const Fields fields(root, "", file_fields(), {"component"}, mistakes);
  Manifest manifest;
  manifest.name = fields.name("name", mistakes);
  manifest.kind = kind_named(fields.text("kind"));
  manifest.version = fields.text("version");
  manifest.summary = fields.text("summary");
  if (!manifest.version.empty() && !is_version(manifest.version))
    mistakes.add(root.find("version")->origin,
                 fmt::format("version: expected three numbers such as \"1.0.0\", got \"{}\"",
                             printable(manifest.version)));
  if (!root.find("component"))
    mistakes.add(root.origin, "there is no [[component]]", "declare at least one");
  std::set<std::string> names;
  for (const Node& node : tables_at(root, "component", mistakes)) {
    manifest.components.push_back(read_component(node, manifest, mistakes));
    const auto& name = manifest.components.back().name;
    if (!name.empty() && !names.insert(name).second)
      mistakes.add(node.origin, fmt::format("component \"{}\" is declared twice", name));
  }
  return manifest;
}

Node parse(std::string_view text, const std::string& where) try {
  return config::parse_document(text, where, {.bytes = manifest_limit, .depth = 8});
} catch (const Error& error) {
  throw Error(ExitCode::plugin, error.parts());
}

}  // namespace

Manifest parse_manifest(std::string_view text, const std::string& where) {
  const Node root = parse(text, where);
  Mistakes mistakes;
  Manifest manifest = read_file(root, mistakes);
  mistakes.throw_if_any();
  return manifest;
}

}  // namespace bcx::plugin
