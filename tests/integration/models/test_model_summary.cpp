// `bcx check --model` for every backbone that there is.
#include "engine/model_summary.h"

#include <fmt/format.h>
#include <torch/types.h>

#include "base/text.h"
#include "tests/catch.h"

namespace bcx::test {
namespace {

plugin::PluginCatalog own_plugins() {
  plugin::Search search;
  search.environment = search.user = false;
  search.built_in = build_dir() / "lib/bcx/plugins";
  return plugin::PluginCatalog(search);
}

config::Component component(const plugin::PluginCatalog& catalog, config::ComponentKind kind,
                            const std::string& name) {
  const auto& spec = *catalog.find(kind, name);
  config::Component made{
      .kind = kind, .name = name, .instance = name, .plugin = spec.plugin, .params = {}};
  for (const auto& param : spec.params)
    if (param.default_value) made.params[param.name] = *param.default_value;
  return made;
}

}  // namespace

TEST_CASE("every backbone has a summary, and a step in memory") {
  const auto catalog = own_plugins();
  const auto names = catalog.names(config::ComponentKind::backbone);
  REQUIRE(names.size() >= 29);
  for (const auto& name : names) {
    DYNAMIC_SECTION(name) {
      const auto& facts = catalog.find(config::ComponentKind::backbone, name)->facts;
      config::Experiment experiment;
      experiment.model.backbone = component(catalog, config::ComponentKind::backbone, name);
      experiment.optimizer = component(catalog, config::ComponentKind::optimizer, "sgd");
      experiment.data.image_size = 32;  // the smallest that all of them take
      experiment.train.batch_size = 2;
      experiment.train.threads = 1;
      const auto text = engine::model_summary(experiment, catalog);
      // A new head of two classes: a normalisation's scale and shift, weights and biases.
      const auto& head = experiment.model.head;
      const std::int64_t of_head =
          2 * facts.channels.value() + 2 + (head.batch_norm ? 2 * facts.channels.value() : 0);
      CHECK(text.find(grouped(facts.parameters.value() + of_head)) != std::string::npos);
      CHECK(text.find("after one step of 2 images of 32x32 in fp32: ") != std::string::npos);
    }
  }
}

}  // namespace bcx::test
