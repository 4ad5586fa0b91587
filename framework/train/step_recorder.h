// Which steps run operation by operation, and which are replayed from a record.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bcx/sdk/augmentation.h"
#include "bcx/sdk/optimizer.h"
#include "train/recorded_work.h"

namespace bcx::train {

/// A training step, as the recorder sees it. The functions may be called after run() has returned,
/// as long as the record lives.
struct RecordableStep {
  std::int64_t micro_batches = 0, samples = 0;  ///< steps that agree in both are alike
  std::vector<std::uint64_t> seeds;             ///< of the model's generator, for each micro-batch
  /// Runs the step operation by operation and returns its loss (0-dim).
  std::function<at::Tensor()> eager;
  std::function<std::vector<sdk::Batch>()> make_batches;
  /// The same step over given batches, micro-batch i with generator i, which is seeded already.
  std::function<at::Tensor(std::span<const sdk::Batch>, std::span<const at::Generator>)> body;
  /// All that a step changes, by reference.
  std::function<std::vector<sdk::NamedTensor>()> state;
};

/// Records a step once it came three times in a row, eagerly (libraries choose their algorithms
/// then), and replays it from then on. A batch that is smaller than the others comes alone and so
/// stays eager. One record is kept: that of the latest shape.
///
///     step 1, 2, 3       eager
///     step 4             recorded on its own batch; run eagerly
///     step 5             checked: replayed, undone, run eagerly; compared
///     step 6, 7, ...     replayed
///
/// The check is on another batch than the record, so that a number which the host took into the
/// record (a sample's label, a step's number) shows. Of each tensor that a step changes, the
/// replayed values must be the eager ones bit for bit when LibTorch's algorithms are deterministic;
/// else not farther from them (L2) than `tolerance` of the step's own change or 4 times what two
/// eager steps are apart. A step that cannot be recorded or fails the check is the last one to be
/// tried: all that follow are eager, and note() says why.
///
/// Resuming stays exact: a resumed run takes other steps eagerly than the one that was never
/// stopped, but in deterministic mode replaying was found to give the same bits, and the check
/// leaves those of the eager step. Nothing of the recorder belongs into a checkpoint.
///
/// Static addresses: batches are copied into the record's own tensors; learning rates, numbers of
/// steps and loss scale are tensors on the device. Whoever moves one of those, or changes what is
/// frozen or computed, calls forget(). One thread.
class StepRecorder {
 public:
  static constexpr std::int64_t warm_up_steps = 3;

  /// `record` empty: every step is eager. `generator`: of the model's device; clones of it are
  /// used.
  explicit StepRecorder(RecordWork record = {}, at::Generator generator = {});

  /// The step's loss (0-dim), which nothing overwrites.
  at::Tensor run(const RecordableStep& step, double tolerance);

  /// The next steps are not those that were recorded.
  void forget();

  bool in_use() const { return static_cast<bool>(record_); }
  /// What there is to tell people since the last call; mostly nothing.
  std::string take_note() { return std::exchange(note_, {}); }
  /// Steps that were replayed, so far.
  std::int64_t replayed() const { return replayed_; }

 private:
  using Shape = std::pair<std::int64_t, std::int64_t>;
  struct Record {
    Shape shape;
    std::vector<sdk::Batch> inputs;
    std::vector<at::Generator> generators;
    at::Tensor loss;
    bool checked = false;
    std::unique_ptr<RecordedWork> work;  // last: gone before the tensors that it writes to
  };
  void record(const RecordableStep& step);
  bool load(const RecordableStep& step);
  at::Tensor check(const RecordableStep& step, double tolerance);
  at::Tensor replay(const RecordableStep& step);
  void give_up(const std::string& why);

  RecordWork record_;
  at::Generator generator_;
  std::unique_ptr<Record> kept_;
  Shape latest_{};
  std::int64_t in_a_row_ = 0, replayed_ = 0;
  std::string note_;
};

}  // namespace bcx::train
