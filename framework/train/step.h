// One optimizer step as a unit: forward, loss, backward, gradient, optimizer, accumulators.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "bcx/sdk/augmentation.h"
#include "bcx/sdk/optimizer.h"
#include "model/classifier.h"
#include "model/lower_weights.h"
#include "model/optimizer_groups.h"
#include "model/parameters.h"
#include "plugin/call_site.h"
#include "train/loss.h"
#include "train/precision.h"
#include "train/step_recorder.h"

namespace bcx::train {

struct StepSettings {
  Precision precision = Precision::fp32;
  double clip_norm = 0.0;  ///< largest L2 norm of the whole gradient; 0: no clipping
  /// Of each parameter, in FlatParameters's order; none: 1 everywhere.
  std::vector<model::Multipliers> multipliers = {};
  bool train_frozen_batch_norm = false;
  /// Under bf16 and fp16 weights are rounded once a step, not where each is used: see
  /// model::LowerWeights. For a GPU, where each cast is a launch.
  bool round_weights_once = false;
  std::uint64_t seed = 0;
  /// A skipped step leaves running statistics and accumulators as they were, too.
  bool undo_skipped = false;
  /// A batch that does not fit into memory is split: see StepExecutor::parts().
  bool allow_parts = false;
  /// Records steps on the parameters' device, to be replayed; none: every step runs operation by
  /// operation. See StepRecorder.
  RecordWork record = {};
};

/// Which step this is: names the model's random numbers.
struct StepPosition {
  std::int64_t epoch = 0, step = 0;  ///< step within the run
};

/// Sums over the steps since the last clear(); on the host.
struct Totals {
  double loss = 0;      ///< mean over samples
  double accuracy = 0;  ///< share of samples whose largest logit is the largest target
  std::int64_t samples = 0, skipped = 0;
};

/// What one step left, still on the device.
struct StepValues {
  at::Tensor loss, gradient_norm;  ///< 0-dim
};

/// Runs training steps. Nothing here waits for the device: accumulators stay there until totals().
/// (Once, where steps are recorded: to check the record.)
///
/// With `n` micro-batches the gradient is the mean over all their samples, so that accumulation
/// equals one large batch (batch statistics aside). A step whose loss or gradient is not finite
/// changes no parameter and is counted as skipped. fp16 scales the loss dynamically (Micikevicius
/// et al. 2018: halve on overflow, double after 2,000 good steps), by at least 1 and at most 2^24.
///
/// Borrows model, parameters, optimizer and loss. One thread.
class StepExecutor {
 public:
  StepExecutor(model::Classifier& classifier, model::FlatParameters& parameters,
               sdk::Optimizer& optimizer, plugin::CallSite optimizer_site,
               plugin::CallSite backbone_site, const Loss& loss, const StepSettings& settings);

  /// One optimizer step over micro-batches that `make_batch(i)` gives for i in 0..count-1;
  /// `samples` is the number of samples in all of them. When memory runs out and StepSettings
  /// allow it, the step is made anew with each batch in twice as many parts, `make_batch` being
  /// called from 0 on again.
  StepValues run(std::int64_t count, std::int64_t samples,
                 const std::function<sdk::Batch(std::int64_t)>& make_batch, StepPosition position);

  /// Freezes by patterns and passes the rest to the optimizer from now on.
  void set_frozen(std::span<const std::string> patterns);
  void set_learning_rate(double rate);

  /// In how many parts each batch goes through the network: 1 until memory ran out. Loss and
  /// gradient are the same to rounding, apart from dropout and from batch statistics, which are
  /// those of a part.
  std::int64_t parts() const { return parts_; }
  void set_parts(std::int64_t parts);

  Totals totals() const;  ///< waits for the device
  void clear_totals();
  /// Steps that the parameter that was trained longest took part in, without skipped ones; waits
  /// for the device.
  std::int64_t optimizer_steps() const;

  /// What a resume needs beside model, optimizer and average, by reference: accumulators, numbers
  /// of steps, loss scale.
  std::vector<sdk::NamedTensor> state();

  /// average += share (now - average), over values and running statistics. The first call makes the
  /// average and sets it to the values of now.
  void average_weights(double share);
  void forget_average();
  /// The average, undefined before average_weights(): values [n] and buffers [m] in
  /// FlatParameters's layout.
  const at::Tensor& average_values() const { return average_values_; }
  const at::Tensor& average_buffers() const { return average_buffers_; }

  /// L2 norm of the latest step's gradient of each parameter that is trained, by name. Waits for
  /// the device.
  std::map<std::string, double, std::less<>> gradient_norms() const;

  /// Forward and backward without a trace: running statistics and accumulators are as before, and
  /// every step fills the gradients anew. For timing.
  void rehearse(const sdk::Batch& batch, Precision precision);

  const StepSettings& settings() const { return settings_; }
  void set_precision(Precision precision);
  const StepRecorder& recorder() const { return recorder_; }
  /// What there is to tell people about recording since the last call; mostly nothing.
  std::string take_note() { return recorder_.take_note(); }
  sdk::ModelContext& context() { return context_; }

 private:
  /// Which micro-batch of a step, and its share of the step's samples.
  struct MicroStep {
    std::int64_t index;
    double share;
  };
  /// What a step that is undone puts back; undefined where nothing is to be undone.
  struct Before {
    at::Tensor buffers, totals;
  };
  using MakeBatch = std::function<sdk::Batch(std::int64_t)>;
  Before remember() const;
  at::Tensor run_eagerly(std::int64_t count, std::int64_t samples, const MakeBatch& make_batch,
                         StepPosition position);
  at::Tensor run_given(std::span<const sdk::Batch> batches,
                       std::span<const at::Generator> generators);
  RecordableStep recordable(std::int64_t count, std::int64_t samples, const MakeBatch& make_batch,
                            StepPosition position);
  std::vector<sdk::NamedTensor> changing_state();
  at::Tensor accumulate(std::int64_t count, std::int64_t samples, const MakeBatch& make_batch,
                        StepPosition position);
  std::vector<sdk::Batch> split(const sdk::Batch& batch) const;
  bool split_further(std::int64_t largest);
  /// Before the first forward_backward() of a step.
  void round_weights(Precision precision);
  at::Tensor forward_backward(const sdk::Batch& batch, MicroStep micro, Precision precision);
  void enter_training();
  void update(const at::Tensor& loss, const Before& before);
  void update_loss_scale(const at::Tensor& skip);

  model::Classifier& classifier_;
  model::FlatParameters& parameters_;
  sdk::Optimizer& optimizer_;
  plugin::CallSite optimizer_site_, backbone_site_;
  const Loss& loss_;
  StepSettings settings_;
  sdk::ModelContext context_;
  model::OptimizerGroups groups_;
  model::LowerWeights lower_weights_;
  at::Tensor totals_, gradient_norm_;
  at::Tensor loss_scale_, good_steps_;  // of fp16
  at::Tensor average_values_, average_buffers_;
  std::int64_t parts_ = 1;
  StepRecorder recorder_;
};

}  // namespace bcx::train
