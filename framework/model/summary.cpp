#include "model/summary.h"

#include <torch/types.h>

#include "base/text.h"
#include "model/classifier.h"

namespace bcx::model {
namespace {

constexpr std::size_t depth = 3;

std::string group_of(const std::string& name) {
  auto parts = split(name, '.');
  parts.pop_back();
  if (parts.size() > depth) parts.resize(depth);
  return join(parts, ".");
}

}  // namespace

Summary summarize(const Classifier& classifier) {
  Summary summary;
  for (const auto& item : classifier.named_parameters()) {
    const std::string group = group_of(item.key());
    if (summary.rows.empty() || summary.rows.back().name != group) summary.rows.push_back({group});
    const std::int64_t count = item.value().numel();
    const std::int64_t trainable = item.value().requires_grad() ? count : 0;
    summary.rows.back().parameters += count;
    summary.rows.back().trainable += trainable;
    summary.parameters += count;
    summary.trainable += trainable;
    summary.parameter_bytes += item.value().nbytes();
  }
  return summary;
}

}  // namespace bcx::model
