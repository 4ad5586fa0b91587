#include "model/grad_cam.h"

#include <torch/csrc/autograd/autograd.h>
#include <torch/utils.h>

#include "base/error.h"

namespace bcx::model {

GradCam::GradCam(Classifier& classifier, at::Tensor images, sdk::ModelContext& context)
    : classifier_(classifier), images_(std::move(images)), context_(context) {
  torch::NoGradGuard no_grad;
  classifier_.eval();
  features_ = classifier_.features(images_, context_);
}

at::Tensor GradCam::logits() {
  torch::NoGradGuard no_grad;
  return classifier_.classify(features_, context_);
}

at::Tensor GradCam::gradient(const sdk::Features& features, const at::Tensor& targets) {
  // In evaluation mode an image's logits do not depend on the others: one sum serves all.
  const auto score = classifier_.classify(features, context_).gather(1, targets).sum();
  if (!score.requires_grad()) return {};
  return torch::autograd::grad({score}, {features.map}, /*grad_outputs=*/{}, /*retain_graph=*/false,
                               /*create_graph=*/false, /*allow_unused=*/true)[0];
}

at::Tensor GradCam::maps(std::span<const std::int64_t> targets) {
  const at::AutoGradMode with_grad(true);
  const auto classes = at::tensor(at::IntArrayRef(targets.data(), targets.size()), at::kLong)
                           .to(images_.device())
                           .unsqueeze(1);
  auto leaf = features_;
  leaf.map = features_.map.detach().requires_grad_(true);
  auto slope = gradient(leaf, classes);
  if (!slope.defined()) {
    // Features beside the map may have been made of it, within the backbone.
    auto whole = classifier_.features(images_, context_);
    if (whole.map.requires_grad()) slope = gradient(whole, classes);
  }
  if (!slope.defined())
    throw Error(ExitCode::usage,
                {"Grad-CAM needs logits that come from the feature map, and this model takes them "
                 "from elsewhere",
                 "model.head.pool", "train with model.head.pool = \"average\""});
  torch::NoGradGuard no_grad;
  const auto alpha = slope.mean({2, 3}, /*keepdim=*/true);
  return (alpha * features_.map).sum(1).clamp_min(0);
}

}  // namespace bcx::model
