#include "sweep/base_experiment.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "config/load_tree.h"
#include "config/resolve.h"
#include "sweep/sampler.h"

namespace bcx::sweep {
namespace {

using config::Node;
using config::Origin;
using config::Problems;
using config::Type;
using config::Value;

/// Of a grid: the largest that is checked point by point.
constexpr std::int64_t most_checked = 1'000;

std::string set_text(const std::string& key, const Value& value) {
  return key + "=" + config::to_toml(value);
}

/// `augmentation.rotate#1.degrees` is called `augmentation.rotate.degrees`.
std::string key_without_one(std::string key) {
  if (const auto at = key.find("#1."); at != std::string::npos && at > 0 && key[at - 1] != '.')
    key.erase(at, 2);
  return key;
}

/// When the experiment has mistakes of its own, only those that name the parameter are new.
bool tell_own(const Problems& found, const WrittenAxis& written, const Origin& origin,
              std::set<std::string>& told, Problems& problems) {
  bool any = false;
  for (const auto& error : found.sorted()) {
    if (error.parts().where != "--set " + written.axis.key) continue;
    any = true;
    if (told.insert(error.parts().what).second)
      problems.add(origin,
                   Error(error.code(), {error.parts().what, origin.text(), error.parts().remedy}));
  }
  return any || !found.empty();
}

}  // namespace

BaseExperiment::BaseExperiment(Node tree, config::LoadOptions options,
                               const config::Catalog& catalog, Problems& problems)
    : tree_(std::move(tree)),
      options_(std::move(options)),
      catalog_(catalog),
      experiment_(load({}, problems)),
      whole_(problems.empty()) {}

config::Experiment BaseExperiment::load(const std::vector<std::string>& sets,
                                        Problems& problems) const {
  auto options = options_;
  options.sets.insert(options.sets.end(), sets.begin(), sets.end());
  return config::load_tree(tree_, options, catalog_, problems);
}

void BaseExperiment::try_values(WrittenAxis& written, const std::vector<Axis>& earlier,
                                Problems& problems) const {
  auto& axis = written.axis;
  std::set<std::string> told;
  for (std::size_t i = 0; i < written.tried.size(); ++i) {
    const auto& [node, origin] = written.tried[i];
    Value value = axis.scale == Axis::Scale::choices ? axis.choices[i]
                  : node.kind == Node::Kind::integer ? Value(node.integer)
                                                     : Value(node.real);
    std::vector<std::string> sets;
    for (const auto& [key, wanted] : axis.when)
      if (std::any_of(earlier.begin(), earlier.end(),
                      [&](const Axis& one) { return one.key == key; }))
        sets.push_back(set_text(key, wanted));
    sets.push_back(set_text(axis.key, value));
    Problems found;
    const auto experiment = load(sets, found);
    if (tell(found, written, origin, told, problems)) continue;
    if (const auto typed = typed_value(experiment, axis.key, node);
        typed && axis.scale == Axis::Scale::choices)
      axis.choices[i] = *typed;
    else if (!typed && told.insert("none").second)
      problems.add(written.key, fmt::format("the experiment has no key \"{}\" that is used",
                                            printable(axis.key)));
  }
}

/// Whether there was a mistake. One about the key itself is told once, where the key stands.
bool BaseExperiment::tell(const Problems& found, const WrittenAxis& written, const Origin& origin,
                          std::set<std::string>& told, Problems& problems) const {
  if (!whole_) return tell_own(found, written, origin, told, problems);
  for (const auto& error : found.sorted()) {
    if (!told.insert(error.parts().what).second) continue;
    const bool of_key = error.parts().what.find("unknown key") != std::string::npos ||
                        error.parts().what.find("no element") != std::string::npos ||
                        error.parts().what.find("unknown section") != std::string::npos;
    const auto& at = of_key ? written.key : origin;
    problems.add(at, Error(error.code(), {error.parts().what, at.text(), error.parts().remedy}));
  }
  return !found.empty();
}

/// The value as the experiment has it; a path is relative to where it was written.
std::optional<Value> BaseExperiment::typed_value(const config::Experiment& experiment,
                                                 const std::string& key, const Node& node) const {
  for (const auto& entry : experiment.resolved) {
    if (entry.key != key && entry.key != key_without_one(key)) continue;
    const auto* text = std::get_if<std::string>(&entry.value);
    if (text && entry.type == Type::path && *text != node.text)
      return config::absolute_path(node.text, node.origin,
                                   {options_.working_directory, options_.file});
    return entry.value;
  }
  return std::nullopt;
}

void BaseExperiment::try_grid(const Plan& plan, const Origin& place, Problems& problems) const {
  const auto sampler = make_sampler("grid", plan.space, plan.seed);
  std::set<std::string> told;
  for (std::int64_t i = 0; i < most_checked; ++i) {
    const auto point = sampler->propose(i, {});
    if (!point) return;
    std::vector<std::string> sets;
    for (const auto& [key, value] : *point) sets.push_back(set_text(key, value));
    Problems found;
    load(sets, found);
    for (const auto& error : found.sorted())
      if (told.insert(error.parts().what).second)
        problems.add(place, fmt::format("{} (with {})", error.parts().what, text_of(*point)),
                     error.parts().remedy);
  }
}

}  // namespace bcx::sweep
