// All parameters of a model in one flat buffer, and all of its running statistics in a second.
//
// Why: an optimizer step becomes a few element-wise operations instead of several per tensor
// (DenseNet201 has 604), a checkpoint or an exponential moving average is one copy, and addresses
// stay fixed for CUDA graphs. Modules hold views; nothing else changes for them.
#pragma once

#include <ATen/core/Tensor.h>

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace torch::nn {
class Module;
}

namespace bcx::model {

/// One named tensor of the state dict and where it lies in its flat buffer.
struct Entry {
  std::string name;                   ///< "backbone.features.conv0.weight"
  std::int64_t offset = 0, size = 0;  ///< in elements
  std::vector<std::int64_t> shape;
  bool channels_last = false;  ///< 4-D: stored [O, H, W, I], seen by the module as [O, I, H, W]
  at::Tensor owner;            ///< the module's tensor, a view into the flat buffer
};

/// Flattens a module's parameters and floating-point buffers. Built after the module has its device
/// and type. Offsets are multiples of 64 bytes; padding is zero and stays zero. Lives as long as
/// the run; the module must not be converted (`double()`, `to()`) afterwards: check_views() finds
/// that.
class FlatParameters {
 public:
  explicit FlatParameters(torch::nn::Module& module);

  const at::Tensor& values() const { return values_; }        ///< [n]
  const at::Tensor& gradients() const { return gradients_; }  ///< [n]
  const at::Tensor& buffers() const { return buffers_; }      ///< [m]: running statistics
  const std::vector<Entry>& parameters() const { return parameters_; }
  const std::vector<Entry>& statistics() const { return statistics_; }
  std::int64_t parameter_count() const;  ///< without padding

  /// Freezes what the patterns match (`*` and `?` over whole names; "backbone.*") and unfreezes the
  /// rest: sets requires_grad. Throws bcx::Error (usage) for a pattern that matches nothing, naming
  /// the nearest parameter, and when nothing is left to train.
  void freeze(std::span<const std::string> patterns);

  /// Copies (`accumulate`: adds) the gradients that autograd left in the module's tensors into the
  /// flat buffer and releases them, gradients of a lower precision too; parameters without one
  /// count as zero. `scale` multiplies what is added.
  void collect_gradients(bool accumulate, double scale);
  /// Drops what autograd left in the module's tensors.
  void release_gradients();

  /// Throws bcx::Error (plugin) when a module's tensor no longer points into the buffer.
  void check_views(std::string_view after) const;

  /// The part of a flat tensor of values()'s or buffers()'s layout that is an entry's, in its
  /// shape.
  static at::Tensor view(const Entry& entry, const at::Tensor& flat);
  /// Contiguous copy of an entry in the usual order, on the CPU, from any flat tensor of values()'s
  /// or buffers()'s layout (an average, say).
  static at::Tensor read(const Entry& entry, const at::Tensor& flat);
  /// The reverse: `usual` has the entry's shape.
  static void write(const Entry& entry, const at::Tensor& flat, const at::Tensor& usual);

 private:
  at::Tensor values_, gradients_, buffers_;
  std::vector<Entry> parameters_, statistics_;
  std::vector<at::Tensor> gradient_views_;
};

/// Whether `name` matches a pattern of `*` (any run, dots too) and `?`.
bool matches(std::string_view pattern, std::string_view name);

}  // namespace bcx::model
