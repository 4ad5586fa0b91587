#include "train/forward.h"

#include <torch/utils.h>

#include "bcx/sdk/inference.h"
#include "train/memory_guard.h"

namespace bcx::train {
namespace {

at::Tensor averaged(const std::function<at::Tensor(std::int64_t)>& logits_of_view,
                    std::int64_t views) {
  if (views == 1) return logits_of_view(0);
  at::Tensor sum;
  for (std::int64_t view = 0; view < views; ++view) {
    const auto p = logits_of_view(view).to(at::kDouble).softmax(1);
    sum = view == 0 ? p : sum + p;
  }
  // The smallest positive double keeps log finite where a probability underflowed.
  return (sum / static_cast<double>(views)).clamp_min(1e-300).log().to(at::kFloat);
}

}  // namespace

std::vector<float> forward_all(model::Classifier& classifier, const plugin::CallSite& backbone_site,
                               const InputPipeline& input, std::span<const std::int64_t> indexes,
                               sdk::ModelContext& context, const ForwardSettings& settings,
                               const std::function<void(std::int64_t, std::int64_t)>& progress) {
  torch::NoGradGuard no_grad;
  classifier.eval();
  const sdk::InferenceScope weights_stay;
  std::vector<float> logits;
  const auto total = static_cast<std::int64_t>(indexes.size());
  for (std::int64_t begin = 0; begin < total; begin += settings.batch_size) {
    const auto part =
        indexes.subspan(static_cast<std::size_t>(begin),
                        static_cast<std::size_t>(std::min(settings.batch_size, total - begin)));
    const auto next = indexes.subspan(static_cast<std::size_t>(begin) + part.size());
    input.read_ahead(
        next.first(std::min(static_cast<std::size_t>(settings.batch_size), next.size())));
    const auto of_view = [&](std::int64_t view) {
      const auto images = input.view(part, view);
      const AutocastScope autocast(images.device(), settings.precision);
      return backbone_site("the forward pass", [&] {
        return within_memory([&] { return classifier.forward(images, context); });
      });
    };
    const auto batch = averaged(of_view, settings.views).to(at::kCPU).to(at::kFloat).contiguous();
    const float* values = batch.const_data_ptr<float>();
    logits.insert(logits.end(), values, values + batch.numel());
    if (progress) progress(begin + static_cast<std::int64_t>(part.size()), total);
  }
  return logits;
}

}  // namespace bcx::train
