#include "model/multipliers.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/table.h"
#include "base/text.h"

namespace bcx::model {
namespace {

bool is_head(std::string_view name) {
  return name.starts_with("head.");
}

bool is_norm_or_bias(const Entry& entry) {
  return entry.shape.size() <= 1 || entry.name.ends_with(".bias");
}

/// The name up to its first part with a digit; empty where no part but the last has one.
std::string numbered_part(const std::string& name) {
  const auto parts = split(name, '.');
  std::string path;
  for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
    path += (i == 0 ? "" : ".") + parts[i];
    if (parts[i].find_first_of("0123456789") != std::string::npos) return path;
  }
  return {};
}

void apply(const config::ParameterGroupConfig& group, std::size_t number,
           std::span<const Entry> parameters, std::vector<Multipliers>& result) {
  bool any = false;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (!matches(group.pattern, parameters[i].name)) continue;
    any = true;
    result[i].learning_rate *= group.learning_rate_multiplier;
    result[i].weight_decay *= group.weight_decay_multiplier;
  }
  if (any) return;
  std::vector<std::string> names;
  for (const auto& entry : parameters) names.push_back(entry.name);
  throw Error(
      ExitCode::usage,
      {fmt::format("pattern \"{}\" matches no parameter", printable(group.pattern)),
       fmt::format("optimizer.group.#{}.pattern", number), did_you_mean(group.pattern, names)});
}

}  // namespace

std::vector<int> layers_of(std::span<const Entry> parameters) {
  // First the layers by name, then those of vectors only into the ones before them.
  struct Layer {
    std::string path;
    bool vectors_only = true;
  };
  std::vector<Layer> layers;
  std::vector<std::size_t> at(parameters.size());
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const auto& entry = parameters[i];
    const std::string path = is_head(entry.name) ? "head" : numbered_part(entry.name);
    if (layers.empty() || (!path.empty() && layers.back().path != path)) layers.push_back({path});
    at[i] = layers.size() - 1;
    if (entry.shape.size() > 1) layers.back().vectors_only = false;
  }
  std::vector<int> numbers(layers.size());
  int next = -1;
  for (std::size_t k = 0; k < layers.size(); ++k) {
    if (next < 0 || !layers[k].vectors_only || layers[k].path == "head") ++next;
    numbers[k] = next;
  }
  std::vector<int> result;
  for (const auto layer : at) result.push_back(numbers[layer]);
  return result;
}

std::vector<Multipliers> multipliers(const config::ParameterGroupsConfig& config,
                                     std::span<const Entry> parameters) {
  std::vector<Multipliers> result(parameters.size());
  const auto layers = layers_of(parameters);
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const auto& entry = parameters[i];
    result[i].learning_rate = std::pow(config.layer_decay, layers.back() - layers[i]) *
                              (is_head(entry.name) ? config.head_multiplier : 1.0);
    if (config.no_decay == "norm_and_bias" && is_norm_or_bias(entry)) result[i].weight_decay = 0.0;
  }
  for (std::size_t g = 0; g < config.groups.size(); ++g)
    apply(config.groups[g], g + 1, parameters, result);
  return result;
}

std::string multipliers_text(std::span<const Multipliers> multipliers,
                             std::span<const Entry> parameters, double learning_rate) {
  struct Kind {
    Multipliers of;
    std::string first, last;
    std::int64_t tensors = 0, parameters = 0;
  };
  std::vector<Kind> kinds;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    auto found = std::find_if(kinds.begin(), kinds.end(),
                              [&](const Kind& kind) { return kind.of == multipliers[i]; });
    if (found == kinds.end())
      found = kinds.insert(kinds.end(), Kind{multipliers[i], parameters[i].name, {}, 0, 0});
    found->last = parameters[i].name;
    ++found->tensors;
    found->parameters += parameters[i].size;
  }
  if (kinds.size() < 2) return {};
  Table table({{"from", Align::left, 1},
               {"to", Align::left, 1},
               {"tensors", Align::right, 0},
               {"parameters", Align::right, 0},
               {"learning rate", Align::right, 0},
               {"weight decay", Align::right, 0}});
  for (const auto& kind : kinds)
    table.add({kind.first, kind.last, grouped(kind.tensors), grouped(kind.parameters),
               fmt::format("{:.3g}", learning_rate * kind.of.learning_rate),
               fmt::format("x {:.3g}", kind.of.weight_decay)});
  return table.text();
}

}  // namespace bcx::model
