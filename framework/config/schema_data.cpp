// Sections about the run itself and its images.

#include "config/schema_key.h"

namespace bcx::config {
namespace {

Section experiment() {
  return {
      "experiment",
      "What the run is called. Nothing here but the seed changes a number.",
      {
          Key("name", Type::string, "Name of the run. Empty: the file's name without `.toml`.")
              .with(""),
          Key("seed", Type::integer,
              "Everything random but the split (`data.split.seed`) is a function of this: weights, "
              "order, augmentation, dropout.")
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
          Key("seed", Type::integer,
              "Deals the groups. Apart from `experiment.seed`: runs of other seeds are tested on the "
              "same images and can be compared.")
              .with(42)
              .at_least(0),
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

}  // namespace

std::vector<Section> data_sections() {
  return {
      experiment(), data(), data_split(), data_audit(),
      component_list(
          ComponentKind::preprocess,
          "Fitted on training images, applied to every image as it is decoded; in this order.")};
}

}  // namespace bcx::config
