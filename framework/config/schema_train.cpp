// Sections about training, evaluation and where things are recorded.

#include "config/schema_key.h"

namespace bcx::config {
namespace {

Section optimizer() {
  Section section{
      "optimizer",
      "How weights follow their gradients.",
      {Key("name", Type::string, "An optimizer component.").with("adam"),
       Key("learning_rate", Type::real, "Before the schedule scales it.").with(1e-4).above(0),
       Key("no_decay", Type::string,
           "Parameters that weight decay leaves alone: `norm_and_bias` are those of "
           "normalisations, "
           "biases, and all others of one dimension.")
           .with("none")
           .one_of({"none", "norm_and_bias"}),
       Key("layer_decay", Type::real,
           "Learning rate of each layer over that of the layer above it; the head has the whole "
           "one.")
           .with(1.0)
           .above(0)
           .at_most(1),
       Key("head_multiplier", Type::real, "Learning rate of the head over the others'.")
           .with(1.0)
           .above(0)}};
  section.component = ComponentKind::optimizer;
  return section;
}

Section optimizer_group() {
  Section section{
      "optimizer.group",
      "Parameters that train otherwise. Where several match, and with the keys above, factors "
      "multiply; `bcx check --model` shows what comes of it.",
      {Key("pattern", Type::string,
           "Over parameter names, with `*` and `?`: `backbone.features.*`."),
       Key("learning_rate_multiplier", Type::real, "Factor of the learning rate. 0: it stays.")
           .with(1.0)
           .at_least(0),
       Key("weight_decay_multiplier", Type::real,
           "Factor of the optimizer's weight decay. 0: none.")
           .with(1.0)
           .at_least(0)}};
  section.repeated = true;
  return section;
}

Section schedule() {
  return {
      "schedule",
      "How the learning rate changes.",
      {
          Key("name", Type::string, "The rule.")
              .with("constant")
              .one_of({"constant", "step", "multistep", "exponential", "cosine", "cosine_restarts",
                       "polynomial", "one_cycle"}),
          Key("unit", Type::string, "What the numbers here count, and when the rate changes.")
              .with("epoch")
              .one_of({"epoch", "step"}),
          Key("warmup", Type::real, "Linear warm-up.").with(0.0).at_least(0).in("units"),
          Key("warmup_factor", Type::real, "Share of the learning rate that warm-up starts from.")
              .with(0.1)
              .above(0)
              .at_most(1),
          Key("horizon", Type::real,
              "Where the schedule ends; extending a run keeps it. 0: train.epochs.")
              .with(0.0)
              .at_least(0)
              .in("units"),
          Key("min_learning_rate", Type::real,
              "Where `cosine`, `cosine_restarts` and `polynomial` end; the others don't go below.")
              .with(0.0)
              .at_least(0),
          Key("step_size", Type::integer, "`step`: distance between two steps down.")
              .with(7)
              .at_least(1)
              .in("units"),
          Key("milestones", Type::integers, "`multistep`: where the steps down are, rising.")
              .empty()
              .at_least(1)
              .in("units"),
          Key("gamma", Type::real,
              "`step`, `multistep`: factor at each step down; `exponential`: in each unit.")
              .with(0.1)
              .above(0)
              .at_most(1),
          Key("restart_period", Type::integer, "`cosine_restarts`: length of the first period.")
              .with(10)
              .at_least(1)
              .in("units"),
          Key("restart_multiplier", Type::real,
              "`cosine_restarts`: length of each period over the one before.")
              .with(1.0)
              .at_least(1),
          Key("power", Type::real, "`polynomial`: exponent of what is left of the horizon.")
              .with(1.0)
              .above(0),
          Key("pct_start", Type::real, "`one_cycle`: share of the horizon that goes up.")
              .with(0.3)
              .above(0)
              .below(1),
          Key("div_factor", Type::real, "`one_cycle`: learning rate over its first value.")
              .with(25.0)
              .at_least(1),
          Key("final_div_factor", Type::real, "`one_cycle`: first value over the last one.")
              .with(1e4)
              .at_least(1),
      }};
}

Section loss() {
  return {"loss",
          "What is minimised.",
          {
              Key("name", Type::string,
                  "`focal` turns down what is right already; `binary_cross_entropy` is for two "
                  "classes, "
                  "with `pos_weight`.")
                  .with("cross_entropy")
                  .one_of({"cross_entropy", "focal", "binary_cross_entropy"}),
              Key("label_smoothing", Type::real, "Share of the target spread over all classes.")
                  .with(0.0)
                  .at_least(0)
                  .below(1),
              Key("class_weights", Type::reals,
                  "`balanced` weighs classes by the inverse of their frequency; or one weight per "
                  "class.")
                  .with("none")
                  .one_of({"none", "balanced"})
                  .above(0),
              Key("focal_gamma", Type::real, "`focal`: how far; 0 is cross-entropy.")
                  .with(2.0)
                  .at_least(0),
              Key("pos_weight", Type::real,
                  "`binary_cross_entropy`: weight of the positive class over the other's; "
                  "`balanced` is "
                  "negatives over positives.")
                  .with(1.0)
                  .one_of({"balanced"})
                  .above(0),
          }};
}

Section train() {
  return {
      "train",
      "The training loop.",
      {
          Key("epochs", Type::integer, "Passes over the training images.").with(20).at_least(1),
          Key("batch_size", Type::integer, "Images in one step.")
              .with(16)
              .at_least(1)
              .at_most(65536),
          Key("device", Type::string, "`auto`, `cpu`, `cuda` or `cuda:N`.").with("auto"),
          Key("precision", Type::string,
              "`auto` times three steps of each, says which it took and keeps it for the run.")
              .with("auto")
              .one_of({"auto", "fp32", "bf16", "fp16"}),
          Key("sampler", Type::string, "The order and share of images in an epoch.")
              .with("shuffle")
              .one_of({"shuffle", "balanced", "group_balanced"}),
          Key("last_batch", Type::string, "What becomes of an incomplete last batch.")
              .with("keep")
              .one_of({"keep", "drop"}),
          Key("deterministic", Type::boolean, "The same bits again on the same GPU, more slowly.")
              .with(false),
          Key("cuda_graph", Type::boolean,
              "On a GPU: record a training step once, as a CUDA graph, and replay it, so that the "
              "processor does not launch each operation by itself. A step that cannot be recorded, "
              "or that comes out otherwise when replayed, runs as with `false`, and the run says "
              "so. Off by default until it has been measured on one.")
              .with(false),
          Key("threads", Type::integer, "CPU threads. 0: the cores this process may use.")
              .with(0)
              .at_least(0)
              .at_most(1024),
          Key("accumulate", Type::integer, "Batches whose gradients make one optimizer step.")
              .with(1)
              .at_least(1)
              .at_most(65536),
          Key("clip_norm", Type::real, "Largest norm of the gradient. 0: any.")
              .with(0.0)
              .at_least(0),
          Key("ema_decay", Type::real, "Short for the callback `ema` with this decay. 0: none.")
              .with(0.0)
              .at_least(0)
              .below(1),
          Key("freeze", Type::strings, "Patterns over parameter names: these are not trained.")
              .empty(),
          Key("limit_batches", Type::integer,
              "Only so many batches of each epoch and of each evaluation; the run is stamped "
              "LIMITED. 0: all.")
              .with(0)
              .at_least(0),
          Key("overfit_batches", Type::integer,
              "Train on the same few batches, unaugmented, and validate on them: the loss must go "
              "to zero, or something is wrong. The run is stamped OVERFIT. 0: off.")
              .with(0)
              .at_least(0),
          Key("train_frozen_batch_norm", Type::boolean,
              "Keep modules whose parameters are all frozen in training mode.")
              .with(false),
          Key("not_finite", Type::string,
              "When loss or gradient is not a finite number: `stop` with an error, `skip` the step "
              "as if its images had not come, or `roll_back` to the last checkpoint and go on with "
              "a lower learning rate.")
              .with("stop")
              .one_of({"stop", "skip", "roll_back"}),
          Key("not_finite_limit", Type::integer,
              "So many skipped steps in a row, or so many roll-backs, and the next one is an "
              "error.")
              .with(10)
              .at_least(1)
              .at_most(10000),
          Key("roll_back_factor", Type::real, "Factor of the learning rate at each roll-back.")
              .with(0.1)
              .above(0)
              .at_most(1),
          Key("allow_micro_batches", Type::boolean,
              "A batch that does not fit into memory goes through the network in parts whose "
              "gradients add up to the whole one's. With batch statistics, which then are those of "
              "a part, the run is stamped MICROBATCHES.")
              .with(false),
      }};
}

Section train_stage() {
  Section section{
      "train.stage",
      "Freeze, then unfreeze: each replaces train.freeze from its epoch on.",
      {Key("epoch", Type::integer, "How many epochs come before the stage.").at_least(0),
       Key("freeze", Type::strings, "Patterns over parameter names. Empty: all are trained.")
           .empty()}};
  section.repeated = true;
  return section;
}

Section evaluate() {
  return {
      "evaluate",
      "How validation and test predictions are made and read.",
      {
          Key("tta", Type::integer,
              "Augmented views of each image whose predictions are averaged. 1: off.")
              .with(1)
              .at_least(1)
              .at_most(1000),
          Key("threshold", Type::string,
              "Score from which an image is positive: a number, or a rule that validation settles: "
              "`youden`, `sensitivity>=0.95`, `specificity>=0.95`, or `cost=5`: a missed positive "
              "costs as much as 5 false alarms.")
              .with("0.5"),
          Key("temperature", Type::string,
              "`validation`: probabilities are those of softmax(logits / T), T fitted on "
              "validation "
              "predictions.")
              .with("none")
              .one_of({"none", "validation"}),
          Key("test", Type::boolean,
              "Whether the run ends with the test part. `false` while you are still choosing; "
              "trials of a sweep never look at it.")
              .with(true),
          Key("batch_size", Type::integer, "Images in one forward pass. 0: train.batch_size.")
              .with(0)
              .at_least(0)
              .at_most(65536),
      }};
}

Section tracker() {
  return {"tracker",
          "Where runs are recorded.",
          {Key("path", Type::path,
               "The SQLite file, relative to the working directory. `BCX_TRACKER` overrides it.")
               .with("runs/bcx.db")}};
}

Section plugins() {
  return {"plugins",
          "Where plugins are looked for, beside the usual places.",
          {Key("path", Type::paths, "Folders that come before BCX_PLUGIN_PATH.").empty()}};
}

}  // namespace

std::vector<Section> train_sections() {
  return {optimizer(),
          optimizer_group(),
          schedule(),
          loss(),
          train(),
          train_stage(),
          component_list(ComponentKind::callback, "What looks on and steps in, in this order."),
          evaluate(),
          tracker(),
          plugins()};
}

}  // namespace bcx::config
