// The experiment's preprocess components: built, fitted on training images or restored, and handed
// to the decoder as one function.
#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "bcx/sdk/preprocess.h"
#include "config/experiment.h"
#include "data/decode.h"
#include "engine/components.h"
#include "plugin/catalog.h"

namespace bcx::engine {

/// Reads the image of that index in the table, at the size that is kept. Throws bcx::Error (data)
/// when it cannot.
using ImageReader = std::function<data::Image(std::int64_t)>;

/// In the experiment's order; each component is fitted on what those before it make of the images.
class Preprocessing {
 public:
  /// Builds the components; nothing is fitted yet.
  Preprocessing(const std::vector<config::Component>& components,
                const plugin::PluginCatalog& catalog);

  bool empty() const { return parts_->empty(); }

  /// Restores each component whose instance name `states` has and fits the others on the images
  /// `training`. May be called again, for another training part.
  void prepare(std::span<const std::int64_t> training, const ImageReader& read,
               const nlohmann::json& states = {});

  /// {"macenko": "0.55 0.76 ..."}: instance names and states.
  nlohmann::json states() const;

  /// For data::DecodeOptions; empty without components. Shares the components.
  data::PreprocessHook hook() const;

 private:
  struct Part {
    std::string instance, name, version;
    std::unique_ptr<sdk::Preprocess> object;
    plugin::CallSite site;
  };
  std::shared_ptr<std::vector<Part>> parts_;
};

}  // namespace bcx::engine
