// bcx's own optimizers, augmentations and callbacks, as the host finds and makes them: manifests
// and code must speak of the same parameters.
#include "bcx/sdk/augmentation.h"
#include "bcx/sdk/callback.h"
#include "bcx/sdk/optimizer.h"
#include "bcx/sdk/plugin.h"
#include "plugin/catalog.h"
#include "plugin/loader.h"
#include "tests/catch.h"

namespace {

using bcx::config::ComponentKind;
using Names = std::vector<std::string>;

bcx::plugin::PluginCatalog catalog() {
  bcx::plugin::Search search;
  search.environment = false;
  search.user = false;
  search.built_in = bcx::test::build_dir() / "lib/bcx/plugins";
  return bcx::plugin::PluginCatalog(search);
}

/// What has no default, because only an experiment can say it.
const std::map<std::string, bcx::sdk::Value> required{
    {"batch_size_schedule.epochs", std::vector<std::int64_t>{0, 2}},
    {"batch_size_schedule.batch_sizes", std::vector<std::int64_t>{16, 32}},
    {"swa.start_epoch", std::int64_t{1}},
    {"time_limit.minutes", 1.0},
};

/// The component's parameters at the manifest's defaults.
bcx::sdk::Params defaults(const bcx::config::ComponentSpec& component) {
  std::map<std::string, bcx::sdk::Value, std::less<>> values;
  for (const auto& param : component.params) {
    const auto name = component.name + "." + param.name;
    INFO(name);
    CHECK(!param.doc.empty());
    REQUIRE(param.default_value.has_value() != required.contains(name));
    values[param.name] = param.default_value ? *param.default_value : required.at(name);
  }
  return bcx::sdk::Params(std::move(values));
}

/// Makes the component; true when the factory gave something.
bool make(const bcx::config::ComponentSpec& component, const bcx::sdk::Params& params) {
  const auto& loaded = bcx::plugin::load(component);
  const auto* table = static_cast<const bcx::sdk::PluginTable*>(loaded.table);
  for (std::uint32_t i = 0; i < table->component_count; ++i) {
    const auto& entry = table->components[i];
    if (entry.name != component.name) continue;
    if (entry.augmentation) return entry.augmentation(params) != nullptr;
    if (entry.optimizer) return entry.optimizer(params) != nullptr;
    if (entry.callback) return entry.callback(params) != nullptr;
  }
  return false;
}

}  // namespace

TEST_CASE("bcx offers these optimizers, augmentations and callbacks") {
  const auto plugins = catalog();
  CHECK(plugins.names(ComponentKind::optimizer) == Names{"adagrad", "adam", "adamax", "adamw",
                                                         "lamb", "lars", "lion", "nadam", "radam",
                                                         "rmsprop", "sgd"});
  CHECK(plugins.names(ComponentKind::augmentation) ==
        Names{"color_jitter", "crop", "cutmix", "erasing", "flip", "gaussian_blur", "grayscale",
              "hed_jitter", "mixup", "noise", "quarter_turns", "rand_augment", "resized_crop",
              "rotate", "shear", "translate", "trivial_augment", "zoom"});
  CHECK(plugins.names(ComponentKind::callback) ==
        Names{"batch_size_schedule", "checkpoint", "csv_log", "early_stopping", "ema",
              "gradient_statistics", "progress", "reduce_lr_on_plateau", "swa", "terminate_on_nan",
              "time_limit", "unfreeze"});
}

TEST_CASE("each is made from its defaults and reads each parameter that it declares") {
  const auto plugins = catalog();
  for (const auto kind :
       {ComponentKind::optimizer, ComponentKind::augmentation, ComponentKind::callback})
    for (const auto& name : plugins.names(kind)) {
      INFO(name);
      const auto& component = *plugins.find(kind, name);
      const auto params = defaults(component);
      CHECK(make(component, params));
      CHECK(params.unread() == Names{});
    }
}
