// An experiment, read and checked: what the rest of bcx works from. Plain values, no TOML, no
// torch.
//
// docs/experiment-file.md is generated from the schema that fills these structures.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "config/params.h"

namespace bcx::config {

/// A component that the experiment asks for, with validated and complete parameters.
struct Component {
  ComponentKind kind = ComponentKind::backbone;
  std::string name;      ///< the component's: "rotate"
  std::string instance;  ///< unique within its kind: "rotate", "rotate#2"
  std::string plugin;    ///< the plugin file's name
  std::map<std::string, Value, std::less<>> params;
};

struct SplitConfig {
  std::string by = "case";         ///< case | slide | patient | image | any attribute
  bool by_given = false;           ///< said by the user, not the default
  std::string method = "holdout";  ///< holdout | kfold | repeated | leave_one_group_out | files
  double validation = 0.2, test = 0.2;  ///< shares of the groups' images, [0, 1)
  bool stratify = true;
  std::int64_t folds = 5, fold = 0, repeats = 1;
  std::uint64_t seed = 42;                   ///< of the split alone
  std::vector<std::filesystem::path> files;  ///< published fold files, for method "files"
};

struct DataConfig {
  std::string source = "breakhis";  ///< breakhis | folders | manifest | packed
  std::filesystem::path root;       ///< absolute
  std::string pattern;  ///< regular expression with named groups over relative paths: attributes
  std::vector<std::int64_t> magnifications;  ///< empty: all
  std::vector<std::string> classes;          ///< empty: those found, sorted
  std::string positive;                      ///< of two classes; empty: the last one
  std::string patient = "case";
  std::int64_t image_size = 224, cache_size = 0;  ///< pixels; cache_size 0: image_size
  std::string resize = "stretch", interpolation = "area";
  std::int64_t workers = 0;         ///< decoding threads; 0: the cores there are
  std::string unreadable = "fail";  ///< fail | quarantine
  SplitConfig split;
  std::vector<std::string> allow;  ///< audit findings allowed by name
};

struct HeadConfig {
  std::string kind = "new";      ///< new | published
  std::string pool = "average";  ///< average | max | default
  double dropout = 0.5;
  bool batch_norm = true;
};

struct ModelConfig {
  Component backbone;
  std::string weights = "imagenet";  ///< none | imagenet | a .safetensors path (absolute)
  HeadConfig head;
};

/// One [[optimizer.group]].
struct ParameterGroupConfig {
  std::string pattern;  ///< over parameter names
  double learning_rate_multiplier = 1.0, weight_decay_multiplier = 1.0;
};

/// How learning rate and weight decay differ between parameters; see model/multipliers.h.
struct ParameterGroupsConfig {
  std::string no_decay = "none";  ///< none | norm_and_bias
  double layer_decay = 1.0, head_multiplier = 1.0;
  std::vector<ParameterGroupConfig> groups;
};

struct ScheduleConfig {
  /// constant | step | multistep | exponential | cosine | cosine_restarts | polynomial | one_cycle
  std::string name = "constant";
  std::string unit = "epoch";  ///< epoch | step
  double warmup = 0.0;         ///< in units
  double warmup_factor = 0.1;  ///< share of the learning rate that warm-up starts from
  double horizon = 0.0;        ///< in units; 0: train.epochs
  double min_learning_rate = 0.0;
  std::int64_t step_size = 7;                 ///< of "step", in units
  std::vector<std::int64_t> milestones = {};  ///< of "multistep", in units, rising
  double gamma = 0.1;                         ///< of "step", "multistep", "exponential"
  std::int64_t restart_period = 10;           ///< of "cosine_restarts", in units
  double restart_multiplier = 1.0;            ///< of "cosine_restarts"
  double power = 1.0;                         ///< of "polynomial"
  double pct_start = 0.3, div_factor = 25.0, final_div_factor = 1e4;  ///< of "one_cycle"
};

struct LossConfig {
  std::string name = "cross_entropy";  ///< cross_entropy | focal | binary_cross_entropy
  double label_smoothing = 0.0;
  std::variant<std::string, std::vector<double>> class_weights =
      std::string("none");  ///< none | balanced | [..]
  double focal_gamma = 2.0;
  std::variant<std::string, double> pos_weight = 1.0;  ///< balanced | number; binary_cross_entropy
};

struct StageConfig {
  std::int64_t epoch = 0;           ///< from this epoch (0-based) on
  std::vector<std::string> freeze;  ///< replaces train.freeze
};

struct TrainConfig {
  std::int64_t epochs = 20, batch_size = 16;
  std::string device = "auto", precision = "auto", sampler = "shuffle", last_batch = "keep";
  bool deterministic = false;
  bool cuda_graph = false;   ///< on a GPU: record a step once and replay it
  std::int64_t threads = 0;  ///< 0: the cores this process may use
  std::int64_t accumulate = 1;
  double clip_norm = 0.0, ema_decay = 0.0;
  std::int64_t limit_batches = 0;    ///< of an epoch and of an evaluation; 0: all
  std::int64_t overfit_batches = 0;  ///< trained on again and again; 0: off
  std::vector<std::string> freeze;
  bool train_frozen_batch_norm = false;  ///< keep frozen modules in training mode
  std::string not_finite = "stop";       ///< stop | skip | roll_back
  std::int64_t not_finite_limit = 10;    ///< skipped steps in a row, or roll-backs in all
  double roll_back_factor = 0.1;         ///< of the learning rate, at each roll-back
  bool allow_micro_batches = false;      ///< split a batch that does not fit into memory
  std::vector<StageConfig> stages;
};

struct EvaluateConfig {
  std::int64_t tta = 1;              ///< views; 1: off
  std::string threshold = "0.5";     ///< a number | youden | sensitivity>=0.95 | cost=5
  std::string temperature = "none";  ///< none | validation
  bool test = true;                  ///< end with the test part
  std::int64_t batch_size = 0;       ///< 0: train.batch_size
};

/// The whole of an experiment. Immutable once validated.
struct Experiment {
  std::string name;
  std::uint64_t seed = 42;
  std::vector<std::string> tags;
  std::string notes;
  DataConfig data;
  std::vector<Component> preprocess;
  ModelConfig model;
  std::vector<Component> augmentations;
  Component optimizer;
  double learning_rate = 1e-4;
  ParameterGroupsConfig parameter_groups;
  ScheduleConfig schedule;
  LossConfig loss;
  TrainConfig train;
  std::vector<Component> callbacks;
  EvaluateConfig evaluate;
  std::filesystem::path tracker;                    ///< absolute
  std::vector<std::filesystem::path> plugin_paths;  ///< absolute

  /// Every key with its value and where it came from, in the schema's order: what the tracker
  /// stores and `bcx check --resolved` prints. Keys of components: `augmentation.rotate.degrees`.
  struct Resolved {
    std::string key;
    Value value;
    Origin origin;
    Type type = Type::string;  ///< declared; a path is absolute in `value`
  };
  std::vector<Resolved> resolved;
  std::string source_text;  ///< the main file, as it was
  std::filesystem::path file;
};

}  // namespace bcx::config
