#include "model/optimizer_groups.h"

#include <torch/utils.h>

#include <algorithm>

namespace bcx::model {

OptimizerGroups::OptimizerGroups(const FlatParameters& parameters,
                                 std::vector<Multipliers> multipliers)
    : parameters_(parameters), multipliers_(std::move(multipliers)) {
  const auto count = parameters.parameters().size();
  multipliers_.resize(count);
  std::vector<double> factors;
  for (const auto& one : multipliers_) {
    const auto found = std::find(factors.begin(), factors.end(), one.learning_rate);
    rate_of_.push_back(static_cast<std::size_t>(found - factors.begin()));
    if (found == factors.end()) factors.push_back(one.learning_rate);
  }
  const auto options = at::TensorOptions().dtype(at::kDouble);
  const auto device = parameters.values().device();
  factors_ = torch::tensor(factors, options).to(device);
  rates_ = at::zeros_like(factors_);
  steps_ = at::zeros({static_cast<std::int64_t>(count)}, options.device(device));
  trained_ = at::zeros_like(steps_);
  next_ = at::zeros_like(steps_);
}

void OptimizerGroups::set_learning_rate(double rate) {
  at::mul_out(rates_, factors_, at::scalar_tensor(rate, at::kDouble));
}

bool OptimizerGroups::trains_like(std::size_t i, std::size_t other, const double* steps) const {
  return parameters_.parameters()[i].owner.requires_grad() &&
         multipliers_[i] == multipliers_[other] && steps[i] == steps[other];
}

bool OptimizerGroups::update() {
  torch::NoGradGuard no_grad;
  const auto& entries = parameters_.parameters();
  const auto steps = steps_.to(at::kCPU);
  const double* counts = steps.const_data_ptr<double>();
  std::vector<std::pair<std::size_t, std::size_t>> cut;
  for (std::size_t first = 0; first < entries.size();) {
    if (!entries[first].owner.requires_grad()) {
      ++first;
      continue;
    }
    std::size_t end = first + 1;
    while (end < entries.size() && trains_like(end, first, counts)) ++end;
    cut.emplace_back(first, end);
    first = end;
  }
  if (cut == cut_) return false;
  cut_ = std::move(cut);
  ranges_.clear();
  std::vector<double> trained(entries.size(), 0.0);
  for (const auto& [first, end] : cut_) {
    std::fill(trained.begin() + static_cast<std::ptrdiff_t>(first),
              trained.begin() + static_cast<std::ptrdiff_t>(end), 1.0);
    ranges_.push_back(range(first, end));
  }
  trained_.copy_(torch::tensor(trained, at::kDouble));
  return true;
}

sdk::ParameterGroup OptimizerGroups::range(std::size_t first, std::size_t end) const {
  const auto& entries = parameters_.parameters();
  const auto start_of = [&](std::size_t i) {
    return i < entries.size() ? entries[i].offset : parameters_.values().numel();
  };
  sdk::ParameterGroup group;
  group.name = entries[first].name;
  group.offset = start_of(first);
  std::vector<std::int64_t> sizes;
  for (std::size_t i = first; i < end; ++i) {
    const auto& entry = entries[i];
    group.segments.push_back({entry.name, entry.offset - group.offset, entry.size, entry.shape});
    sizes.push_back(start_of(i + 1) - start_of(i));
  }
  const std::int64_t size = start_of(end) - group.offset;
  group.parameters = parameters_.values().narrow(0, group.offset, size);
  group.gradients = parameters_.gradients().narrow(0, group.offset, size);
  group.learning_rate = rates_[static_cast<std::int64_t>(rate_of_[first])];
  group.weight_decay = multipliers_[first].weight_decay;
  group.step = next_[static_cast<std::int64_t>(first)];
  group.segment_sizes = torch::tensor(sizes, at::kLong).to(parameters_.values().device());
  return group;
}

void OptimizerGroups::begin_step() {
  at::add_out(next_, steps_, trained_);
}

void OptimizerGroups::end_step(const at::Tensor& skip) {
  at::where_out(steps_, skip, steps_, next_);
}

}  // namespace bcx::model
