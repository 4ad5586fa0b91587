// What is written into the tracker: plain values, one struct per kind of row. docs/tracker.md has
// the tables behind them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace bcx::tracker {

/// A parameter's value, stored with its own type (never as text). Lists are JSON text; see Param.
using ParamValue = std::variant<bool, std::int64_t, double, std::string>;

/// One key of the resolved experiment.
struct Param {
  std::string key;  ///< `augmentation.rotate.degrees`
  ParamValue value;
  bool list = false;   ///< value is a JSON array: `[40,100]`
  std::string origin;  ///< `experiments/base.toml:12:3`, `--set`, `default`
};

/// A component that the run uses and the plugin file that it came from.
struct PluginRow {
  std::string name;  ///< the component's: "adam"
  std::string kind;  ///< backbone | augmentation | optimizer | callback | preprocess
  std::string version, build_id, file;
};

/// A trial of a sweep, which a run can be.
struct TrialRef {
  std::string sweep;        ///< its id
  std::int64_t number = 0;  ///< from 0
};

/// Everything that is known when a run starts.
struct RunDescription {
  std::string name;        ///< the run's; not empty
  std::string experiment;  ///< the experiment's; empty: the same as name
  std::int64_t seed = 0;
  std::vector<std::string> tags;
  std::string notes;
  std::optional<std::string> parent;  ///< id of the run that this one is a part of (folds, sweeps)
  std::optional<TrialRef> trial = std::nullopt;  ///< that the run is; its row then names the run
  std::string command;                ///< as typed
  std::string git_commit;             ///< empty: not known; "-dirty" behind it: with changes
  std::string version;                ///< bcx's own
  std::string config_source;          ///< the experiment file as it was
  std::string config_resolved;        ///< everything resolved, as TOML
  std::string config_hash;            ///< of what decides the result (reliability.md)
  std::vector<Param> params;
  std::vector<PluginRow> plugins;
  std::vector<std::pair<std::string, std::string>> system;  ///< `gpu`, `libtorch`, `cpu`, ...
};

/// Where training stands; what a checkpoint holds and a resume goes on from.
struct Cursor {
  std::int64_t epoch = 0;    ///< epochs completed
  std::int64_t samples = 0;  ///< consumed in the epoch under way
  std::int64_t step = 0;     ///< optimizer steps done in the whole run
};

/// How a run ended. `crashed` is never written: readers find it out (reader.h).
enum class Status { running, finished, stopped, failed };

enum class Level { debug, info, warning, error };

/// A checkpoint file that is in place (written, verified, renamed, folder synced).
struct CheckpointRow {
  Cursor cursor;
  std::string path;  ///< absolute or relative to the database's folder; stored relative
  std::string tag;   ///< "last", "best", "epoch-7"
  std::int64_t bytes = 0;
  std::string sha256;
  std::string metric;           ///< monitored key; empty: none
  std::optional<double> value;  ///< its value at that point
};

/// A data set. Two runs with the same hash share one row and its samples.
struct DatasetRow {
  std::string hash;    ///< over everything that follows and the samples
  std::string source;  ///< breakhis | folders | manifest | packed
  std::string root;    ///< for people; nothing is opened by it
  std::vector<std::string> classes;
  int positive = 1;     ///< index into classes
  std::string patient;  ///< the attribute that SampleRow::group holds
};

struct SampleRow {
  std::uint64_t id = 0;  ///< data::Sample::id
  std::string name;      ///< data::Sample::relative
  int target = 0;
  std::string group;  ///< the patient: empty when unknown
  std::vector<std::pair<std::string, std::string>> attributes;
};

/// A split of a data set. Two runs with the same hash share it.
struct SplitRow {
  std::string hash;     ///< over method, settings and the parts
  std::string dataset;  ///< DatasetRow::hash; that row must be there
  std::string method, by;
  std::int64_t fold = 0, folds = 0;
  std::string audit;  ///< JSON: the audit's findings
};

struct SplitMember {
  std::uint64_t sample = 0;
  std::string part;  ///< train | validation | test | unused
};

/// One pass over a part of the data, and what it was for.
struct EvaluationRow {
  Cursor cursor;           ///< of the weights that were evaluated
  std::string checkpoint;  ///< path as in CheckpointRow; empty: the weights in memory
  std::string dataset;     ///< DatasetRow::hash; empty: the run's own
  std::string part;        ///< train | validation | test | all
  std::string purpose;     ///< epoch | final | tta | external | ...
  std::int64_t tta = 1;    ///< views; 1: off
  std::string precision;   ///< fp32 | bf16 | fp16
  std::string threshold;   ///< the rule: "0.5", "youden"; empty: none
  std::optional<double> threshold_value;
  /// Fitted on other predictions than these; probabilities are softmax(logits / temperature).
  std::optional<double> temperature = std::nullopt;
  std::vector<std::pair<std::string, double>> metrics;  ///< key without the part: {"auc", 0.91}
};

/// Points of a curve: ROC, precision-recall, calibration.
struct CurveRow {
  std::string kind;                        ///< roc | pr | calibration | ...
  std::optional<std::int64_t> evaluation;  ///< id from RunWriter::evaluation
  std::string x_name, y_name;
  std::vector<double> x, y;  ///< of equal length
};

/// A file that belongs to the run.
struct ArtifactRow {
  std::string name;  ///< letters, digits, `._-`, `/` between parts; no part begins with a dot
  std::string kind;  ///< report | picture | table | ...
  std::string path;  ///< inside the run's folder; stored relative to the database's folder
  std::int64_t bytes = 0;
  std::string sha256;
};

}  // namespace bcx::tracker
