#include "engine/load_weights.h"

#include <torch/types.h>

#include "base/text.h"
#include "weights/match.h"
#include "weights/safetensors.h"

namespace bcx::engine {
namespace {

constexpr std::string_view prefix = "backbone.";

template <typename Visit>
void each_of_backbone(const model::FlatParameters& parameters, Visit visit) {
  for (const auto& entry : parameters.parameters())
    if (entry.name.starts_with(prefix)) visit(entry, parameters.values());
  for (const auto& entry : parameters.statistics())
    if (entry.name.starts_with(prefix)) visit(entry, parameters.buffers());
}

at::Tensor as_float(const weights::TensorView& view) {
  auto tensor = at::empty(view.shape, at::kFloat);
  weights::copy_as_float32(view,
                           {tensor.data_ptr<float>(), static_cast<std::size_t>(tensor.numel())});
  return tensor;
}

}  // namespace

std::string load_weights(const std::filesystem::path& path,
                         const model::FlatParameters& parameters) {
  const auto file = weights::SafetensorsFile::open(path);
  std::vector<weights::ModelTensor> wanted;
  each_of_backbone(parameters, [&](const model::Entry& entry, const at::Tensor&) {
    wanted.push_back({entry.name.substr(prefix.size()), entry.shape});
  });
  const auto report =
      weights::match(wanted, file, {.skip_prefixes = {"classifier.", "fc.", "head.", "heads."}});
  weights::require_complete(report, file);
  each_of_backbone(parameters, [&](const model::Entry& entry, const at::Tensor& flat) {
    const auto& view = *file.find(entry.name.substr(prefix.size()));
    weights::require_finite(view, printable(path.string()));
    model::FlatParameters::write(entry, flat, as_float(view));
  });
  return report.summary();
}

}  // namespace bcx::engine
