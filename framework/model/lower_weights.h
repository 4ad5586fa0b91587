// Weights of convolutions and linear layers in the type that products compute in, rounded once a
// step for all of them.
//
// Why: under autocast each weight is cast where it is used and its gradient is cast back, two
// kernels a layer (402 of some 3,000 a step in DenseNet201). Here one pass over the flat buffer
// rounds all of them, and gradients are widened while they are collected. The numbers are
// autocast's, to the bit.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

namespace torch::nn {
class Module;
}

namespace bcx::model {

class FlatParameters;

/// Of the modules bcx::sdk::Conv2d and Linear, torch::nn::Conv1d to Conv3d and Linear: the
/// parameter `weight`. All others stay float32: normalisations, biases, what plugins use as they
/// like. A weight that is used twice in one forward pass has its two gradients added in the lower
/// type. One thread; borrows the parameters.
class LowerWeights {
 public:
  LowerWeights(const torch::nn::Module& module, const FlatParameters& parameters);

  /// Rounds the parameters of now; `type` bfloat16 or float16.
  void refresh(at::ScalarType type);

  /// While it lives, the modules hold the weights that refresh() rounded, and backward passes leave
  /// gradients of that type in them.
  class Scope {
   public:
    explicit Scope(const LowerWeights& weights);
    ~Scope();
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    const LowerWeights& weights_;
  };

 private:
  struct Weight {
    std::size_t entry;      ///< of FlatParameters::parameters()
    at::Tensor own, lower;  ///< float32; rounded
  };
  const FlatParameters& parameters_;
  std::vector<Weight> weights_;
  at::Tensor flat_;  ///< FlatParameters::values() in the lower type
};

}  // namespace bcx::model
