#include "plugin_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "config/validate.h"
#include "weights/resolve.h"

namespace bcx::cli {
namespace {

using config::ComponentKind;
using config::ComponentSpec;
using config::Facts;
using config::ParamSpec;

std::string millions(const Facts& facts) {
  return facts.parameters ? fmt::format("{:.2f} M", static_cast<double>(*facts.parameters) / 1e6)
                          : "";
}

std::string gmacs(const Facts& facts) {
  return facts.gmacs_224 ? fmt::format("{:.2f}", *facts.gmacs_224) : "";
}

/// Published weights and where they are: `here` (fetched), `to fetch` (`bcx weights fetch` gets
/// them), `published` (bcx does not know where), nothing where there are none.
std::string weights_text(const ComponentSpec& component) {
  if (component.facts.weights.empty()) return "";
  if (weights::is_cached(component.name)) return "here";
  return weights::find_weights(component.name) ? "to fetch" : "published";
}

std::string default_text(const ParamSpec& param) {
  return param.default_value ? config::to_toml(*param.default_value) : "required";
}

nlohmann::ordered_json to_json(const config::Value& value) {
  return std::visit([](const auto& held) { return nlohmann::ordered_json(held); }, value);
}

nlohmann::ordered_json to_json(const ParamSpec& param) {
  nlohmann::ordered_json json{{"name", param.name}, {"type", name_of(param.type)}};
  if (param.default_value) json["default"] = to_json(*param.default_value);
  if (param.minimum) json[param.exclusive_minimum ? "exclusive_min" : "min"] = *param.minimum;
  if (param.maximum) json[param.exclusive_maximum ? "exclusive_max" : "max"] = *param.maximum;
  for (const auto& choice : param.choices) json["choices"].push_back(to_json(choice));
  if (!param.unit.empty()) json["unit"] = param.unit;
  if (!param.doc.empty()) json["doc"] = param.doc;
  return json;
}

nlohmann::ordered_json to_json(const ComponentSpec& component) {
  nlohmann::ordered_json json{{"name", component.name},       {"kind", name_of(component.kind)},
                              {"plugin", component.plugin},   {"version", component.version},
                              {"summary", component.summary}, {"file", component.file}};
  const Facts& facts = component.facts;
  if (facts.parameters) json["facts"]["parameters"] = *facts.parameters;
  if (facts.gmacs_224) json["facts"]["gmacs_224"] = *facts.gmacs_224;
  if (facts.smallest_size) json["facts"]["smallest_size"] = *facts.smallest_size;
  if (facts.channels) json["facts"]["channels"] = *facts.channels;
  if (!facts.weights.empty()) {
    json["facts"]["weights"] = facts.weights;
    json["facts"]["weights_state"] = weights_text(component);
  }
  json["params"] = nlohmann::ordered_json::array();
  for (const auto& param : component.params) json["params"].push_back(to_json(param));
  return json;
}

std::string facts_text(const Facts& facts) {
  std::vector<std::string> parts;
  if (facts.parameters)
    parts.push_back(fmt::format("{} parameters without a classifier", grouped(*facts.parameters)));
  if (facts.gmacs_224) parts.push_back(gmacs(facts) + " GMACs at 224 x 224");
  if (facts.channels) parts.push_back(fmt::format("{} channels", *facts.channels));
  if (facts.smallest_size)
    parts.push_back(fmt::format("images of at least {0} x {0}", *facts.smallest_size));
  if (!facts.weights.empty()) parts.push_back("published weights: " + join(facts.weights, ", "));
  return join(parts, "; ");
}

Table params_table(const std::vector<ParamSpec>& params) {
  Table table({{"parameter", Align::left, 0},
               {"type", Align::left, 0},
               {"default", Align::left, 0},
               {"range", Align::left, 1},
               {"unit", Align::left, 1},
               {"meaning", Align::left, 2}});
  for (const auto& param : params)
    table.add({param.name, std::string(name_of(param.type)), default_text(param),
               config::range_text(param), param.unit, param.doc});
  return table;
}

// The table under which a component's parameters are written.
std::string snippet_head(const ComponentSpec& component) {
  const std::string name = config::to_toml(component.name);
  switch (component.kind) {
    case ComponentKind::backbone:
      return fmt::format("[model]\nbackbone = {}\n", name) +
             (component.params.empty() ? "" : "[model.options]\n");
    case ComponentKind::optimizer:
      return fmt::format("[optimizer]\nname = {}\n", name);
    case ComponentKind::augmentation:
    case ComponentKind::callback:
    case ComponentKind::preprocess:
      return fmt::format("[[{}]]\nname = {}\n", name_of(component.kind), name);
  }
  return {};
}

std::string comment(const ParamSpec& param) {
  std::vector<std::string> parts;
  if (!param.default_value)
    parts.push_back(fmt::format("required: {}", config::expectation(param)));
  else if (const auto range = config::range_text(param); !range.empty())
    parts.push_back(range);
  if (!param.unit.empty()) parts.push_back(printable(param.unit));
  if (!param.doc.empty()) parts.push_back(printable(param.doc));
  return join(parts, "; ");
}

}  // namespace

Table list_table(const Components& components) {
  const bool numbers = std::ranges::any_of(
      components, [](const auto* c) { return c->facts.parameters.has_value(); });
  std::vector<Column> columns{{"component", Align::left, 0},
                              {"kind", Align::left, 1},
                              {"plugin", Align::left, 1},
                              {"version", Align::left, 1}};
  if (numbers) {
    columns.push_back({"parameters", Align::right, 1});
    columns.push_back({"GMACs at 224", Align::right, 1});
    columns.push_back({"weights", Align::left, 1});
  }
  columns.push_back({"summary", Align::left, 2});
  Table table(columns);
  for (const auto* component : components) {
    std::vector<std::string> row{component->name, std::string(name_of(component->kind)),
                                 component->plugin, component->version};
    if (numbers) {
      row.push_back(millions(component->facts));
      row.push_back(gmacs(component->facts));
      row.push_back(weights_text(*component));
    }
    row.push_back(component->summary);
    table.add(std::move(row));
  }
  return table;
}

nlohmann::ordered_json list_json(const plugin::PluginCatalog& catalog,
                                 const Components& components) {
  nlohmann::ordered_json json{{"components", nlohmann::ordered_json::array()},
                              {"not_used", nlohmann::ordered_json::array()}};
  for (const auto* component : components) json["components"].push_back(to_json(*component));
  for (const auto& finding : catalog.findings())
    json["not_used"].push_back(
        {{"file", printable(finding.path.string())}, {"reason", finding.reason}});
  return json;
}

std::string description(const ComponentSpec& component, const plugin::PluginFile& file, int width) {
  std::string text = fmt::format("{} \"{}\": {}\n", name_of(component.kind), component.name,
                                 printable(component.summary));
  text += fmt::format("plugin {} {} ({})\n", component.plugin, component.version,
                      printable(component.file));
  text +=
      fmt::format("built with {}{}{}{}\n", printable(file.abi.compiler),
                  *file.abi.torch_version ? ", LibTorch " : "", printable(file.abi.torch_version),
                  file.build_id.empty() ? "" : ", build id " + file.build_id);
  if (const auto facts = facts_text(component.facts); !facts.empty())
    text += printable(facts) + "\n";
  if (component.params.empty()) return text + "\nno parameters\n";
  return text + "\n" + params_table(component.params).text(width);
}

std::string snippet(const ComponentSpec& component) {
  std::vector<std::pair<std::string, std::string>> lines;
  std::size_t widest = 0;
  for (const auto& param : component.params) {
    lines.emplace_back(param.default_value ? fmt::format("{} = {}", param.name,
                                                         config::to_toml(*param.default_value))
                                           : fmt::format("# {} =", param.name),
                       comment(param));
    widest = std::max(widest, lines.back().first.size());
  }
  std::string text = snippet_head(component);
  for (const auto& [line, note] : lines)
    text += note.empty() ? line + "\n" : fmt::format("{:<{}}  # {}\n", line, widest, note);
  return text;
}

}  // namespace bcx::cli
