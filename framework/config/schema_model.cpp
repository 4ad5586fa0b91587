// Sections about the network and what it is shown.

#include "config/schema_key.h"

namespace bcx::config {
namespace {

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
              "`new`: trained here; `published`: the backbone's own classifier, for data with "
              "ImageNet's 1,000 classes in its order (folders named n01440764 and so on).")
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

}  // namespace

std::vector<Section> model_sections() {
  return {model(), model_options(), model_head(),
          component_list(ComponentKind::augmentation,
                         "What happens to training images, in this order; geometric ones are "
                         "composed into one warp that comes first.")};
}

}  // namespace bcx::config
