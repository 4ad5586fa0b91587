#include "engine/model_summary.h"

#include <fmt/format.h>
#include <torch/types.h>

#include "base/table.h"
#include "base/text.h"
#include "engine/components.h"
#include "model/multipliers.h"
#include "model/parameters.h"
#include "model/summary.h"
#include "train/device.h"
#include "train/loss.h"
#include "train/step.h"

namespace bcx::engine {
namespace {

/// Classes without looking at the data: those that the experiment names, two otherwise.
std::int64_t class_count(const config::Experiment& e) {
  if (e.model.head.kind == "published") return 1000;
  return e.data.classes.empty() ? 2 : static_cast<std::int64_t>(e.data.classes.size());
}

std::uint64_t step_memory(const config::Experiment& e, model::Classifier& classifier,
                          model::FlatParameters& parameters, const plugin::CallSite& site,
                          Built<std::unique_ptr<sdk::Optimizer>>& optimizer, std::int64_t classes) {
  const train::CrossEntropy loss(0.0, {}, at::kFloat);
  train::StepExecutor step(classifier, parameters, *optimizer.object, optimizer.site, site, loss,
                           {});
  step.set_frozen(e.train.freeze);
  const std::int64_t n = e.train.batch_size, size = e.data.image_size;
  sdk::Batch batch{torch::zeros({n, 3, size, size}).contiguous(at::MemoryFormat::ChannelsLast),
                   torch::full({n, classes}, 1.0 / static_cast<double>(classes))};
  step.rehearse(batch, train::Precision::fp32);
  return train::peak_memory(at::kCPU);
}

}  // namespace

std::string parts_table(const model::Classifier& classifier) {
  const auto summary = model::summarize(classifier);
  Table table(
      {{"part", Align::left, 1}, {"parameters", Align::right, 0}, {"trainable", Align::right, 0}});
  for (const auto& row : summary.rows)
    table.add({row.name, grouped(row.parameters), grouped(row.trainable)});
  table.add({"total", grouped(summary.parameters), grouped(summary.trainable)});
  return table.text();
}

std::string model_summary(const config::Experiment& e, const plugin::PluginCatalog& catalog) {
  train::apply_process_settings({static_cast<int>(e.train.threads), e.train.deterministic});
  const std::int64_t classes = class_count(e);
  auto classifier = build_classifier(e, catalog, classes);
  model::FlatParameters parameters(*classifier.object);
  parameters.freeze(e.train.freeze);
  const auto multipliers = model::multipliers(e.parameter_groups, parameters.parameters());
  auto optimizer = build_optimizer(e.optimizer, catalog);
  const auto peak =
      step_memory(e, *classifier.object, parameters, classifier.site, optimizer, classes);

  std::uint64_t state = 0;
  for (const auto& item : optimizer.object->state()) state += item.tensor.nbytes();
  const auto groups =
      model::multipliers_text(multipliers, parameters.parameters(), e.learning_rate);
  return parts_table(*classifier.object) + (groups.empty() ? "" : "\n" + groups) +
         fmt::format(
             "\nvalues {}, gradients {}, optimizer {}\n"
             "peak of the process after one step of {} images of {}x{} in fp32: {}\n",
             human_bytes(model::summarize(*classifier.object).parameter_bytes),
             human_bytes(parameters.gradients().nbytes()), human_bytes(state), e.train.batch_size,
             e.data.image_size, e.data.image_size, human_bytes(peak));
}

}  // namespace bcx::engine
