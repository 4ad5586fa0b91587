#include "config/schema.h"

#include <algorithm>

namespace bcx::config {
namespace {

using Strings = std::vector<std::string>;
using Integers = std::vector<std::int64_t>;

/// Builds one ParamSpec: `Key("epochs", Type::integer, "…").with(20).at_least(1)`.
class Key {
 public:
  Key(std::string name, Type type, std::string doc) {
    spec_.name = std::move(name);
    spec_.type = type;
    spec_.doc = std::move(doc);
  }
  Key with(bool value) && { return std::move(*this).value(value); }
  Key with(int value) && { return std::move(*this).value(std::int64_t{value}); }
  Key with(double value) && { return std::move(*this).value(value); }
  Key with(const char* value) && { return std::move(*this).value(std::string(value)); }
  Key empty() && {
    if (spec_.type == Type::integers) return std::move(*this).value(Integers{});
    return std::move(*this).value(Strings{});
  }
  Key at_least(double bound) && {
    spec_.minimum = bound;
    return std::move(*this);
  }
  Key above(double bound) && {
    spec_.exclusive_minimum = true;
    return std::move(*this).at_least(bound);
  }
  Key at_most(double bound) && {
    spec_.maximum = bound;
    return std::move(*this);
  }
  Key below(double bound) && {
    spec_.exclusive_maximum = true;
    return std::move(*this).at_most(bound);
  }
  Key one_of(std::initializer_list<const char*> words) && {
    for (const char* word : words) spec_.choices.emplace_back(std::string(word));
    return std::move(*this);
  }
  Key one_of_numbers(std::initializer_list<std::int64_t> numbers) && {
    for (const std::int64_t number : numbers) spec_.choices.emplace_back(number);
    return std::move(*this);
  }
  Key in(const char* unit) && {
    spec_.unit = unit;
    return std::move(*this);
  }
  operator ParamSpec() && { return std::move(spec_); }

 private:
  Key value(Value value) && {
    spec_.default_value = std::move(value);
    return std::move(*this);
  }
  ParamSpec spec_;
};

Section experiment() {
  return {"experiment",
          "What the run is called. Nothing here but the seed changes a number.",
          {
              Key("name", Type::string, "Name of the run. Empty: the file's name without `.toml`.")
                  .with(""),
              Key("seed", Type::integer,
                  "Everything random is a function of this: weights, split, order, augmentation, "
                  "dropout.")
                  .with(42)
                  .at_least(0),
              Key("tags", Type::strings, "Words to find the run by.").empty(),
              Key("notes", Type::string, "Anything worth knowing later.").with(""),
          }};
}

Section data() {
  return {
      "data",
      "Where images come from and how they are decoded.",
      {
          Key("source", Type::string,
              "`breakhis`: the BreaKHis tree; `folders`: one folder per class; `manifest`: a CSV "
              "file; "
              "`packed`: a file made by `bcx data pack`.")
              .with("breakhis")
              .one_of({"breakhis", "folders", "manifest", "packed"}),
          Key("root", Type::path,
              "The images' folder, or the manifest or packed file. `BCX_DATA` stands for it where "
              "it is "
              "unset or relative."),
          Key("pattern", Type::string,
              "Regular expression with named groups over relative paths; each group becomes an "
              "attribute.")
              .with(""),
          Key("magnifications", Type::integers, "Magnifications to use (BreaKHis). Empty: all.")
              .empty()
              .one_of_numbers({40, 100, 200, 400}),
          Key("classes", Type::strings,
              "Class names in the order of their indices. Empty: those found, sorted.")
              .empty(),
          Key("positive", Type::string,
              "The class that sensitivity is about, of two. Empty: the last one.")
              .with(""),
          Key("patient", Type::string, "The attribute behind every per-patient figure.")
              .with("case"),
          Key("image_size", Type::integer, "Side of the square that the network sees.")
              .with(224)
              .at_least(8)
              .at_most(4096)
              .in("pixels"),
          Key("cache_size", Type::integer, "Side kept after decoding, for crops. 0: image_size.")
              .with(0)
              .at_least(0)
              .at_most(8192)
              .in("pixels"),
          Key("resize", Type::string,
              "`stretch` to the square, `fit` inside it with a border, or `crop` the middle.")
              .with("stretch")
              .one_of({"stretch", "fit", "crop"}),
          Key("interpolation", Type::string, "How pixels are resampled while resizing.")
              .with("area")
              .one_of({"area", "linear", "cubic", "nearest"}),
          Key("workers", Type::integer, "Decoding threads. 0: as many as there are cores.")
              .with(0)
              .at_least(0)
              .at_most(1024),
          Key("unreadable", Type::string,
              "An image that cannot be decoded: `fail`, or `quarantine` it, counted and shown.")
              .with("fail")
              .one_of({"fail", "quarantine"}),
      }};
}

Section data_split() {
  return {
      "data.split",
      "Which images train, validate and test. Groups stay together.",
      {
          Key("by", Type::string,
              "The attribute whose groups stay together: `case`, `slide`, `patient` or any other; "
              "not said, "
              "the first of case, patient, group and slide that the data has. "
              "`image` splits at random and stamps the run LEAKY where groups overlap.")
              .with("case"),
          Key("method", Type::string, "How groups are dealt out.")
              .with("holdout")
              .one_of({"holdout", "kfold", "repeated", "leave_one_group_out", "files"}),
          Key("validation", Type::real,
              "Share for validation; of k folds, of what is not the test fold.")
              .with(0.2)
              .at_least(0)
              .below(1),
          Key("test", Type::real, "Share for the test set; `holdout` only.")
              .with(0.2)
              .at_least(0)
              .below(1),
          Key("stratify", Type::boolean, "Keep the classes' shares alike in all parts.").with(true),
          Key("folds", Type::integer, "Number of folds.").with(5).at_least(2).at_most(1000),
          Key("fold", Type::integer,
              "The fold that is the test set, from 0; of `repeated`, counted through all repeats.")
              .with(0)
              .at_least(0),
          Key("repeats", Type::integer, "Number of differently dealt k-folds; `repeated` only.")
              .with(1)
              .at_least(1)
              .at_most(1000),
          Key("files", Type::paths, "Published fold files, one per fold; `files` only.").empty(),
      }};
}

Section data_audit() {
  return {"data.audit",
          "The leak audit before training.",
          {Key("allow", Type::strings,
               "Findings that do not stop the run, by name; they are stamped on it.")
               .empty()
               .one_of({"group_overlap", "identical_image", "near_duplicate", "conflicting_label",
                        "missing_class", "one_group_class"})}};
}

ParamSpec component_name(const char* doc) {
  return Key("name", Type::string, doc);
}

ParamSpec enabled() {
  return Key("enabled", Type::boolean, "false: as if it were not there.").with(true);
}

Section preprocess() {
  Section section{
      "preprocess",
      "Fitted on training images, applied to every image as it is decoded; in this order.",
      {component_name("A preprocess component."), enabled()}};
  section.repeated = true;
  section.component = ComponentKind::preprocess;
  return section;
}

Section model() {
  return {"model",
          "The network.",
          {Key("backbone", Type::string, "A backbone component: see `bcx plugins list`.")
               .with("densenet201"),
           Key("weights", Type::path,
               "What the backbone starts from: `none` is random, `imagenet` comes from the cache "
               "(`bcx weights fetch`), a path names a .safetensors file.")
               .with("imagenet")
               .one_of({"none", "imagenet"})}};
}

Section model_options() {
  Section section{"model.options", "The backbone's own parameters.", {}};
  section.component = ComponentKind::backbone;
  return section;
}

Section model_head() {
  return {
      "model.head",
      "The classifier on top of the backbone.",
      {
          Key("kind", Type::string,
              "`new`: trained here; `published`: the backbone's own classifier of 1,000 classes.")
              .with("new")
              .one_of({"new", "published"}),
          Key("pool", Type::string,
              "How the feature map becomes a vector; `default` is the backbone's own way.")
              .with("average")
              .one_of({"average", "max", "default"}),
          Key("dropout", Type::real, "Dropout before the last layer.")
              .with(0.5)
              .at_least(0)
              .below(1)
              .in("probability"),
          Key("batch_norm", Type::boolean, "Batch normalisation before the last layer.").with(true),
      }};
}

Section augmentation() {
  Section section{
      "augmentation",
      "What happens to training images, in this order; geometric ones are composed into one "
      "warp that comes first.",
      {component_name("An augmentation component."), enabled()}};
  section.repeated = true;
  section.component = ComponentKind::augmentation;
  return section;
}

Section optimizer() {
  Section section{
      "optimizer",
      "How weights follow their gradients.",
      {Key("name", Type::string, "An optimizer component.").with("adam"),
       Key("learning_rate", Type::real, "Before the schedule scales it.").with(1e-4).above(0)}};
  section.component = ComponentKind::optimizer;
  return section;
}

Section schedule() {
  return {
      "schedule",
      "How the learning rate changes.",
      {
          Key("name", Type::string, "The rule.")
              .with("constant")
              .one_of({"constant", "cosine", "step", "one_cycle"}),
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
          Key("min_learning_rate", Type::real, "Where `cosine` ends.").with(0.0).at_least(0),
          Key("step_size", Type::integer, "`step`: distance between two steps down.")
              .with(7)
              .at_least(1)
              .in("units"),
          Key("gamma", Type::real, "`step`: factor at each step down.")
              .with(0.1)
              .above(0)
              .at_most(1),
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
  return {
      "loss",
      "What is minimised.",
      {
          Key("name", Type::string, "The loss.").with("cross_entropy").one_of({"cross_entropy"}),
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
          Key("ema_decay", Type::real, "Decay of the weights' moving average. 0: none.")
              .with(0.0)
              .at_least(0)
              .below(1),
          Key("freeze", Type::strings, "Patterns over parameter names: these are not trained.")
              .empty(),
          Key("train_frozen_batch_norm", Type::boolean,
              "Keep modules whose parameters are all frozen in training mode.")
              .with(false),
      }};
}

Section train_stage() {
  Section section{
      "train.stage",
      "Freeze, then unfreeze: each replaces train.freeze from its epoch on.",
      {Key("epoch", Type::integer, "First epoch of the stage, from 0.").at_least(0),
       Key("freeze", Type::strings, "Patterns over parameter names. Empty: all are trained.")
           .empty()}};
  section.repeated = true;
  return section;
}

Section callback() {
  Section section{"callback",
                  "What looks on and steps in, in this order.",
                  {component_name("A callback component."), enabled()}};
  section.repeated = true;
  section.component = ComponentKind::callback;
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
              "`youden`, `sensitivity>=0.95`, `specificity>=0.95`.")
              .with("0.5"),
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

const std::vector<Section>& schema() {
  static const std::vector<Section> sections = {
      experiment(),    data(),        data_split(),   data_audit(), preprocess(), model(),
      model_options(), model_head(),  augmentation(), optimizer(),  schedule(),   loss(),
      train(),         train_stage(), callback(),     evaluate(),   tracker(),    plugins()};
  return sections;
}

const Section* find_section(std::string_view name) {
  const auto& all = schema();
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const Section& one) { return one.name == name; });
  return found == all.end() ? nullptr : &*found;
}

const ParamSpec* find_param(const Section& section, std::string_view key) {
  for (const auto& spec : section.params)
    if (spec.name == key) return &spec;
  return nullptr;
}

}  // namespace bcx::config
