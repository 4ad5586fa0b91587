// A catalog without plugins, and a short way to load experiments from text.
#pragma once

#include <fstream>
#include <map>

#include "config/load.h"
#include "tests/catch.h"

namespace bcx::test {

using namespace bcx::config;

inline ParamSpec real(std::string name, std::optional<double> value, double minimum,
                      double maximum) {
  ParamSpec spec;
  spec.name = std::move(name);
  spec.type = Type::real;
  if (value) spec.default_value = *value;
  spec.minimum = minimum;
  spec.maximum = maximum;
  return spec;
}

inline ParamSpec text(std::string name, Type type, std::string value) {
  ParamSpec spec;
  spec.name = std::move(name);
  spec.type = type;
  spec.default_value = std::move(value);
  return spec;
}

class FakeCatalog : public Catalog {
 public:
  FakeCatalog() {
    add(ComponentKind::backbone, "densenet201", {real("drop_rate", 0.0, 0, 1)})
        .facts.smallest_size = 32;
    add(ComponentKind::backbone, "resnet18", {});
    add(ComponentKind::augmentation, "rotate", {real("degrees", 0.0, 0, 180)});
    add(ComponentKind::augmentation, "zoom",
        {real("min", std::nullopt, 0.01, 100), real("max", 1.25, 0.01, 100)})
        .params[0]
        .at_most = "max";
    add(ComponentKind::augmentation, "crop", {real("share", 0.875, 0.1, 1)}).params[0].window =
        "side";
    auto& areas = add(ComponentKind::augmentation, "resized_crop",
                      {real("min_area", 0.5, 0.1, 1), real("max_area", 1.0, 0.1, 1)})
                      .params;
    for (auto& area : areas) area.window = "area";
    add(ComponentKind::augmentation, "flip",
        {real("horizontal", 0.5, 0, 1), real("vertical", 0.0, 0, 1)});
    add(ComponentKind::optimizer, "adam", {real("beta1", 0.9, 0, 1)});
    add(ComponentKind::optimizer, "sgd", {real("momentum", 0.0, 0, 1)});
    add(ComponentKind::callback, "checkpoint", {text("monitor", Type::string, "val.accuracy")});
    add(ComponentKind::callback, "csv_log", {text("path", Type::path, "metrics.csv")});
    add(ComponentKind::preprocess, "macenko", {});
  }
  const ComponentSpec* find(ComponentKind kind, std::string_view name) const override {
    const auto found = all_.find({kind, std::string(name)});
    return found == all_.end() ? nullptr : &found->second;
  }
  std::vector<std::string> names(ComponentKind kind) const override {
    std::vector<std::string> out;
    for (const auto& [key, spec] : all_)
      if (key.first == kind) out.push_back(key.second);
    return out;
  }

 private:
  ComponentSpec& add(ComponentKind kind, std::string name, std::vector<ParamSpec> params) {
    ComponentSpec& spec = all_[{kind, name}];
    spec.name = name;
    spec.kind = kind;
    spec.params = std::move(params);
    spec.plugin = name + "_plugin";
    return spec;
  }
  std::map<std::pair<ComponentKind, std::string>, ComponentSpec> all_;
};

/// Files in a folder of their own, which is the working directory too.
class Workplace {
 public:
  void write(const std::string& name, const std::string& content) {
    std::filesystem::create_directories((folder_ / name).parent_path());
    std::ofstream(folder_ / name) << content;
  }
  LoadOptions options(std::vector<std::string> sets = {},
                      const std::string& file = "x.toml") const {
    LoadOptions options;
    options.file = file;
    options.sets = std::move(sets);
    options.working_directory = folder_.path();
    return options;
  }
  Experiment load(std::vector<std::string> sets = {}, const std::string& file = "x.toml") const {
    return load_experiment(options(std::move(sets), file), catalog);
  }
  /// The message of a failing load, empty when it succeeds.
  std::string mistakes_of(const LoadOptions& options) const {
    try {
      load_experiment(options, catalog);
      return {};
    } catch (const ErrorList& error) {
      return error.what();
    }
  }
  std::string mistakes(std::vector<std::string> sets = {}) const {
    return mistakes_of(options(std::move(sets)));
  }
  std::filesystem::path operator/(const std::string& name) const { return folder_ / name; }

  FakeCatalog catalog;

 private:
  TemporaryFolder folder_;
};

/// An experiment's entry; fails the test when there is none.
inline const Experiment::Resolved& entry(const Experiment& experiment, std::string_view key) {
  for (const auto& one : experiment.resolved)
    if (one.key == key) return one;
  throw std::runtime_error("no key " + std::string(key));
}

inline std::string origin(const Experiment& experiment, std::string_view key) {
  return entry(experiment, key).origin.text();
}

}  // namespace bcx::test
