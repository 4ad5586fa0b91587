#include <fmt/format.h>

#include <cmath>

#include "config/load.h"

namespace bcx::config {
namespace {

/// The side of a crop's usual window as a share of the picture's, or 1.
double window_side(const ComponentSpec& spec, const Component& component) {
  double side = 1.0;
  for (const std::string kind : {"side", "area"}) {
    double sum = 0.0;
    int count = 0;
    for (const auto& param : spec.params) {
      if (param.window != kind) continue;
      sum += std::get<double>(component.params.at(param.name));
      ++count;
    }
    if (count > 0) side *= kind == "side" ? sum / count : std::sqrt(sum / count);
  }
  return side;
}

}  // namespace

std::vector<std::string> advice(const Experiment& experiment, const Catalog& catalog) {
  std::vector<std::string> texts;
  const auto& data = experiment.data;
  const auto size = static_cast<double>(data.image_size);
  const auto cached = data.cache_size > 0 ? data.cache_size : data.image_size;
  for (const auto& component : experiment.augmentations) {
    const auto* spec = catalog.find(component.kind, component.name);
    const double side = spec ? window_side(*spec, component) : 1.0;
    const auto wanted = static_cast<std::int64_t>(std::lround(size / side));
    if (wanted <= cached) continue;
    texts.push_back(fmt::format(
        "augmentation.{} shows about {} of {} cached pixels a side, enlarged to {}: blurred; "
        "data.cache_size = {} has the detail, at {:.2g} times the memory",
        component.instance, std::lround(side * static_cast<double>(cached)), cached,
        data.image_size, wanted,
        std::pow(static_cast<double>(wanted) / static_cast<double>(cached), 2.0)));
  }
  return texts;
}

}  // namespace bcx::config
