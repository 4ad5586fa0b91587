#include "model/parameters.h"

#include <fmt/format.h>
#include <torch/nn/module.h>
#include <torch/utils.h>

#include "base/error.h"
#include "base/text.h"

namespace bcx::model {
namespace {

constexpr std::int64_t alignment_bytes = 64;

std::int64_t align(std::int64_t offset, std::int64_t element_size) {
  const std::int64_t unit = alignment_bytes / element_size;
  return (offset + unit - 1) / unit * unit;
}

/// The part of a flat buffer that an entry owns, with the entry's shape and memory format.
at::Tensor view_of(const Entry& entry, const at::Tensor& flat) {
  const auto range = flat.narrow(0, entry.offset, entry.size);
  if (!entry.channels_last) return range.view(entry.shape);
  const auto& s = entry.shape;
  return range.view({s[0], s[2], s[3], s[1]}).permute({0, 3, 1, 2});
}

template <typename Named>
std::vector<Entry> lay_out(const Named& items, std::int64_t& total) {
  std::vector<Entry> entries;
  for (const auto& item : items) {
    const at::Tensor& tensor = item.value();
    if (!tensor.is_floating_point()) continue;
    total = align(total, tensor.element_size());
    entries.push_back({.name = item.key(),
                       .offset = total,
                       .size = tensor.numel(),
                       .shape = tensor.sizes().vec(),
                       .channels_last = tensor.dim() == 4,
                       .owner = tensor});
    total += tensor.numel();
  }
  return entries;
}

/// Moves the entries' tensors into a new flat buffer; the modules' tensors become views of it.
at::Tensor flatten(std::vector<Entry>& entries, std::int64_t total) {
  if (entries.empty()) return at::empty({0});
  const auto flat =
      at::zeros({align(total, entries[0].owner.element_size())}, entries[0].owner.options());
  for (auto& entry : entries) {
    const auto view = view_of(entry, flat);
    view.copy_(entry.owner.detach());
    entry.owner.set_data(view);
  }
  return flat;
}

std::vector<std::string> names_of(const std::vector<Entry>& entries) {
  std::vector<std::string> names;
  for (const auto& entry : entries) names.push_back(entry.name);
  return names;
}

}  // namespace

FlatParameters::FlatParameters(torch::nn::Module& module) {
  std::int64_t parameter_total = 0, buffer_total = 0;
  parameters_ = lay_out(module.named_parameters(), parameter_total);
  statistics_ = lay_out(module.named_buffers(), buffer_total);
  torch::NoGradGuard no_grad;
  values_ = flatten(parameters_, parameter_total);
  buffers_ = flatten(statistics_, buffer_total);
  gradients_ = at::zeros_like(values_);
  for (const auto& entry : parameters_) gradient_views_.push_back(view_of(entry, gradients_));
}

std::int64_t FlatParameters::parameter_count() const {
  std::int64_t count = 0;
  for (const auto& entry : parameters_) count += entry.size;
  return count;
}

void FlatParameters::freeze(std::span<const std::string> patterns) {
  std::vector<bool> frozen(parameters_.size(), false);
  for (const auto& pattern : patterns) {
    bool any = false;
    for (std::size_t i = 0; i < parameters_.size(); ++i) {
      if (!matches(pattern, parameters_[i].name)) continue;
      frozen[i] = any = true;
    }
    if (!any)
      throw Error(ExitCode::usage,
                  {fmt::format("freeze pattern \"{}\" matches no parameter", printable(pattern)),
                   "train.freeze", did_you_mean(pattern, names_of(parameters_))});
  }
  bool trains = false;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    parameters_[i].owner.set_requires_grad(!frozen[i]);
    trains = trains || !frozen[i];
  }
  if (!trains)
    throw Error(ExitCode::usage, {"every parameter is frozen, nothing is left to train",
                                  "train.freeze", "leave the head out: [\"backbone.*\"]"});
}

void FlatParameters::collect_gradients(bool accumulate, double scale) {
  torch::NoGradGuard no_grad;
  std::vector<at::Tensor> targets, sources;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    auto& grad = parameters_[i].owner.mutable_grad();
    if (grad.defined()) {
      targets.push_back(gradient_views_[i]);
      // Scaled in the lower precision, it would be rounded again.
      sources.push_back(scale == 1.0 ? grad : grad.to(gradients_.scalar_type()));
    } else if (!accumulate) {
      gradient_views_[i].zero_();
    }
  }
  if (sources.empty()) return;
  if (scale != 1.0) at::_foreach_mul_(sources, scale);
  if (accumulate)
    at::_foreach_add_(targets, sources);
  else
    at::_foreach_copy_(targets, sources);
  release_gradients();
}

void FlatParameters::release_gradients() {
  for (auto& entry : parameters_) entry.owner.mutable_grad() = at::Tensor();
}

void FlatParameters::check_views(std::string_view after) const {
  for (const auto* entries : {&parameters_, &statistics_}) {
    const at::Tensor& flat = entries == &parameters_ ? values_ : buffers_;
    for (const auto& entry : *entries) {
      if (entry.owner.data_ptr() ==
              static_cast<char*>(flat.data_ptr()) + entry.offset * flat.element_size() &&
          entry.owner.scalar_type() == flat.scalar_type())
        continue;
      throw Error(ExitCode::plugin,
                  {fmt::format("parameter \"{}\" was replaced or converted {}",
                               printable(entry.name), after),
                   "", "change values in place (copy_), never the module's type or device"});
    }
  }
}

at::Tensor FlatParameters::view(const Entry& entry, const at::Tensor& flat) {
  return view_of(entry, flat);
}

at::Tensor FlatParameters::read(const Entry& entry, const at::Tensor& flat) {
  const auto view = view_of(entry, flat).detach();
  return at::empty(entry.shape, view.options().device(at::kCPU)).copy_(view);
}

void FlatParameters::write(const Entry& entry, const at::Tensor& flat, const at::Tensor& usual) {
  torch::NoGradGuard no_grad;
  view_of(entry, flat).copy_(usual);
}

bool matches(std::string_view pattern, std::string_view name) {
  // Iterative glob: on a mismatch go back to the last star and let it take one character more.
  std::size_t p = 0, n = 0, star = std::string_view::npos, taken = 0;
  while (n < name.size()) {
    if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == name[n]) && pattern[p] != '*') {
      ++p, ++n;
    } else if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      taken = n;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      n = ++taken;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

}  // namespace bcx::model
