// Demo pictures, one of them blank, and an experiment that gives them all the same stains.
#pragma once

#include <algorithm>
#include <fstream>
#include <string>
#include <vector>

#include "config/load.h"
#include "data/decode.h"
#include "data/demo.h"
#include "data/images.h"
#include "data/scan.h"
#include "plugin/catalog.h"
#include "tests/catch.h"

namespace bcx::test {

class MacenkoExperiment {
 public:
  MacenkoExperiment() {
    setenv("XDG_CACHE_HOME", (folder_ / "cache").c_str(), 1);
    unsetenv("BCX_TRACKER");
    unsetenv("BCX_DATA");
    data::DemoOptions demo;
    demo.images = 40;
    demo.patients = 8;
    demo.size = 64;
    data::write_demo(folder_ / "demo", demo);
    blank_ = (folder_ / "demo" / data::draw_demo_image(demo, 0).relative).string();
    data::write_png(blank_, data::Image(40, 64, 255).view());
    std::ofstream(folder_ / "x.toml") << R"(
[data]
source = "breakhis"
root = "demo"
image_size = 32
[data.audit]
allow = ["near_duplicate", "missing_class", "one_group_class"]
[[preprocess]]
name = "macenko"
pictures = 1000
[model]
backbone = "resnet18"
weights = "none"
[[augmentation]]
name = "flip"
[train]
epochs = 1
batch_size = 8
device = "cpu"
precision = "fp32"
[[callback]]
name = "checkpoint"
monitor = "val.loss"
mode = "min"
)";
  }

  config::Experiment load(std::vector<std::string> sets = {}) const {
    config::LoadOptions options;
    options.file = "x.toml";
    options.sets = std::move(sets);
    options.working_directory = folder_.path();
    return config::load_experiment(options, catalog());
  }

  static const plugin::PluginCatalog& catalog() {
    static const auto made = [] {
      plugin::Search search;
      search.environment = search.user = false;
      search.built_in = build_dir() / "lib/bcx/plugins";
      return plugin::PluginCatalog(search);
    }();
    return made;
  }

  const std::filesystem::path& folder() const { return folder_.path(); }
  /// The picture that is white all over.
  const std::filesystem::path& blank() const { return blank_; }

 private:
  TemporaryFolder folder_;
  std::filesystem::path blank_;
};

}  // namespace bcx::test
