// What the optimizer is passed: ranges of the flat buffers whose parameters train alike.
#pragma once

#include <ATen/core/Tensor.h>

#include <span>
#include <utility>
#include <vector>

#include "bcx/sdk/optimizer.h"
#include "model/multipliers.h"
#include "model/parameters.h"

namespace bcx::model {

/// Cuts what is not frozen into ranges of neighbours that share their multipliers and their number
/// of steps, and keeps those numbers: each parameter counts the steps that it took part in, so that
/// one that is unfrozen late starts at 1 (Adam's bias correction asks for it). Everything lies on
/// the parameters' device.
///
///     OptimizerGroups groups(parameters, multipliers);
///     groups.update();                        after freezing, and after loading the state
///     groups.begin_step();
///     optimizer.step(groups.ranges(), {.skip = skip});
///     groups.end_step(skip);
///
/// Borrows the parameters. One thread.
class OptimizerGroups {
 public:
  /// `multipliers`: one for each parameter, or none for 1 everywhere.
  OptimizerGroups(const FlatParameters& parameters, std::vector<Multipliers> multipliers);

  /// Takes up what is frozen now. Waits for the device. False when the ranges are as they were:
  /// then their tensors are the same, too.
  bool update();
  /// Before the multipliers.
  void set_learning_rate(double rate);

  void begin_step();
  std::span<const sdk::ParameterGroup> ranges() const { return ranges_; }
  /// `skip`: 0-dim bool; true leaves the numbers of steps as they were.
  void end_step(const at::Tensor& skip);

  /// [number of parameters] float64: the steps that each took part in; for checkpoints.
  const at::Tensor& steps() const { return steps_; }

 private:
  bool trains_like(std::size_t i, std::size_t other, const double* steps) const;
  sdk::ParameterGroup range(std::size_t first, std::size_t end) const;

  const FlatParameters& parameters_;
  std::vector<Multipliers> multipliers_;
  std::vector<std::size_t> rate_of_;   // of each parameter: which of rates_
  at::Tensor factors_, rates_;         // [number of different learning rates]
  at::Tensor steps_, trained_, next_;  // [number of parameters]: so far, 0 or 1, after this step
  std::vector<std::pair<std::size_t, std::size_t>> cut_;  // first parameter and end of each range
  std::vector<sdk::ParameterGroup> ranges_;
};

}  // namespace bcx::model
