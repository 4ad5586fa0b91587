// The facade of everything that needs LibTorch. The command loads libbcx_engine.so only when it
// trains or infers; this header is all it sees of it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "config/experiment.h"
#include "data/decode.h"
#include "data/sample.h"
#include "engine/inference.h"
#include "plugin/catalog.h"
#include "tracker/rows.h"
#include "train/observer.h"
#include "weights/index.h"

namespace bcx::engine {

/// A checkpoint as the tracker has it.
struct KeptCheckpoint {
  std::filesystem::path path;
  std::string sha256;
};

/// Where a stopped or crashed run goes on from.
struct ResumePoint {
  std::string run_id;
  /// Newest first; one that is unreadable or has other bytes than were written is passed over.
  std::vector<KeptCheckpoint> checkpoints;
  /// The run had begun so often when the checkpoints were listed. Refused when another process has
  /// gone on with it since.
  std::int64_t attempts = 0;
  bool force =
      false;  ///< go on although configuration, data, plugins or threads differ; stamps the run
};

/// What one run is to do. Borrowed for the call.
struct RunRequest {
  const config::Experiment& experiment;
  const plugin::PluginCatalog& catalog;
  std::string command;     ///< as typed, for the record
  std::string git_commit;  ///< empty: not known
  std::string version;     ///< bcx's own
  bool may_fetch_weights = false;
  std::optional<ResumePoint> resume = std::nullopt;
  std::string name = {};                             ///< the run's; empty: the experiment's
  std::optional<std::string> parent = std::nullopt;  ///< id of the run that this one is a part of
  std::optional<tracker::TrialRef> trial = std::nullopt;  ///< that the run is
  /// train.batch_size is this part of the batch that was asked for, and train.accumulate makes up
  /// for it; a model with batch statistics is stamped MICROBATCHES. 1: the whole.
  std::int64_t micro_batches = 1;
};

/// What became of one fold before: its finished run, or where to go on.
struct FoldState {
  std::string finished;  ///< id of its run; empty: not finished
  std::optional<ResumePoint> resume;
};

/// All folds of an experiment. `run.resume` is not used.
struct FoldsRequest {
  RunRequest run;
  std::optional<std::string> parent = std::nullopt;  ///< id of the parent run to go on with
  std::int64_t attempts = 0;                         ///< of the parent, when it was looked at
  std::map<std::int64_t, FoldState> folds = {};      ///< by fold; those not named have not begun
};

/// A finished run's model on data: a run of its own, whose parent is that run.
struct EvaluateRequest {
  RunRequest run;                        ///< its experiment: the model's, with the data to test on
  const config::Experiment& trained_on;  ///< the model's run's own
  std::string trained_by;                ///< that run's name
  std::vector<std::string> classes;      ///< the run's
  std::vector<Member> members;           ///< see TrainedModel
  std::string trained_data, trained_split;  ///< hashes that the run recorded
  std::vector<SeenSample> seen;             ///< what it was trained and validated on
  bool own_test_part = false;               ///< its own test part once more, instead of other data
  std::optional<double> threshold, temperature;  ///< the run's frozen ones
};

struct RunOutcome {
  std::string id, short_id;
  std::filesystem::path folder;
  bool stopped = false;    ///< by a signal
  bool resumable = false;  ///< stopped, and there is a checkpoint to go on from
  std::vector<std::string> stamps;
  std::vector<std::pair<std::string, double>>
      metrics;  ///< of the final evaluation; empty without a test part
};

/// What a few training steps, of which nothing is kept, say about an experiment.
struct Rehearsal {
  std::string device, precision;
  std::int64_t batch_size = 0, steps_per_epoch = 0;
  std::int64_t samples_per_step =
      0;                        ///< fewer than batch_size * accumulate in a small training part
  double seconds_per_step = 0;  ///< median without the first
  double images_per_second = 0;
  double loss = 0;                                 ///< of the last step
  std::uint64_t peak_memory = 0, free_memory = 0;  ///< bytes: highest use, and what is left
};

/// The learning-rate range test (train/learning_rate_test.h), stored as a run of its own.
struct LearningRateTest {
  std::string id, short_id;
  std::vector<double> rates, losses;  ///< smoothed losses, of equal length
  std::optional<double> suggestion;   ///< none: the loss never fell
};

/// Pictures for a published network with its published classifier. Borrowed for the call.
struct ImageNetRequest {
  const plugin::PluginCatalog& catalog;
  std::string backbone;
  std::filesystem::path weights;  ///< a safetensors file with the classifier
  weights::PublishedInput input;  ///< how pictures are prepared
  std::vector<std::filesystem::path> pictures;
  std::int64_t top = 5;  ///< classes given for each, 1 to 1,000
  std::string device = "auto";
};

struct ImageNetClass {
  std::int64_t index = 0;  ///< of the classifier's output, from 0
  std::string name;        ///< `Siamese cat`
  double probability = 0;
};

struct ImageNetPrediction {
  std::filesystem::path picture;
  std::string problem;                 ///< why there is none; empty: there is
  std::vector<ImageNetClass> classes;  ///< most probable first
};

/// What to time, on synthetic images that are resident. Borrowed for the call.
struct BenchRequest {
  const config::Experiment& experiment;  ///< model, batch size, precision, optimizer, device
  const plugin::PluginCatalog& catalog;
  bool training = true;     ///< optimizer steps, else forward passes in evaluation mode
  std::int64_t steps = 10;  ///< that are timed
  std::int64_t warm_up = 3;
};

/// Repeated measurements of one thing.
struct Measured {
  std::string what, unit;
  std::vector<double> values;
  bool more_is_better = false;
};

/// Re-entrant: nothing about a run is global, apart from threads and determinism, which are the
/// process's (train/device.h).
class Engine {
 public:
  virtual ~Engine() = default;

  /// Data, model, training, evaluation, all recorded in the experiment's tracker. Throws
  /// bcx::Error; the run is then recorded as failed with the message.
  virtual RunOutcome run(const RunRequest& request, train::Observer& observer) const = 0;

  /// A run for each fold, one after the other, beneath a parent run that holds the out-of-fold
  /// predictions (purpose "out_of_fold"; one evaluation per repeat) and the metrics over the folds
  /// (eval/folds.h): `fold.auc` with the fold as its step, `test.auc` the mean, `test.auc.sd` the
  /// spread, `test.pooled.accuracy` of all samples together. Throws before the first fold for what
  /// is wrong with any of them.
  virtual RunOutcome run_folds(const FoldsRequest& request, train::Observer& observer) const = 0;

  /// Evaluates on data that the model has not seen, everything being the test part, or on the run's
  /// own test part again. Throws bcx::Error (data) when patients, groups or pictures of the
  /// training or validation part are among them and data.audit.allow does not say so, or when the
  /// classes are others.
  virtual RunOutcome evaluate(const EvaluateRequest& request, train::Observer& observer) const = 0;

  /// Prepares everything, makes `steps` training steps and validates one batch. Nothing is
  /// recorded.
  virtual Rehearsal rehearse(const RunRequest& request, std::int64_t steps,
                             train::Observer& observer) const = 0;

  /// Raises the learning rate from 1e-7 to 10 over at most 100 steps. The state is put back
  /// afterwards, to the bit: checked by its digest. Recorded as a run with the curve
  /// "learning_rate_test".
  virtual LearningRateTest find_learning_rate(const RunRequest& request,
                                              train::Observer& observer) const = 0;

  /// The model's summary table and the memory that training takes, without data or training.
  virtual std::string model_summary(const config::Experiment& experiment,
                                    const plugin::PluginCatalog& catalog) const = 0;

  /// Replaces pictures [count, side, side, 3] by what the experiment's augmentations make of them
  /// in `epoch`; `ids` are their sample ids, so that a picture is the one that training sees.
  /// `shape` is a view of `pixels`. Pictures are mixed (mixup, cutmix) among themselves, with other
  /// partners than in training.
  virtual void augment(const config::Experiment& experiment, const plugin::PluginCatalog& catalog,
                       std::span<std::uint8_t> pixels, const data::PixelView& shape,
                       const std::vector<std::uint64_t>& ids, std::int64_t epoch) const = 0;

  /// What the experiment's preprocess components do to an image, fitted on `training`: indexes of
  /// images that `read` gives. Empty without components.
  virtual data::PreprocessHook preprocess(
      const config::Experiment& experiment, const plugin::PluginCatalog& catalog,
      std::span<const std::int64_t> training,
      const std::function<data::Image(std::int64_t)>& read) const = 0;

  /// What the network says about each picture, in order; a picture that cannot be read or prepared
  /// has a problem and stops nothing. Throws bcx::Error for anything else: an unknown backbone, one
  /// without a published classifier, weights that do not fit.
  virtual std::vector<ImageNetPrediction> predict_imagenet(
      const ImageNetRequest& request) const = 0;

  /// Logits of pictures in files, read in stretches: memory does not grow with their number. What
  /// cannot be read is told to `take` and left out.
  virtual void predict(const PredictRequest& request, const TakePredicted& take,
                       train::Observer& observer) const = 0;

  /// Which part of each picture speaks for a class, and whether that comes of what the model
  /// learnt. Throws bcx::Error (usage) for a model without a feature map of at least 2 x 2 cells
  /// behind its logits.
  virtual void explain(const ExplainRequest& request, const TakeExplained& take,
                       train::Observer& observer) const = 0;

  /// Times what a run does: StepExecutor's steps or forward passes, one after the other, after
  /// warm-up; and this machine's own rates, for the least time that the arithmetic takes.
  virtual std::vector<Measured> bench(const BenchRequest& request) const = 0;
};

}  // namespace bcx::engine

/// The symbol that libbcx_engine.so exports. Lives as long as the process.
extern "C" const bcx::engine::Engine* bcx_engine();
