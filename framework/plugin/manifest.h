// plugin.toml: what a plugin offers, in words that need no loading.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/params.h"

namespace bcx::plugin {

/// A checked manifest. `components` are complete but for ComponentSpec::file, which discovery fills
/// in.
struct Manifest {
  std::string name;     ///< the plugin's: "densenet"
  std::string version;  ///< "1.0.0"
  std::string summary;
  config::ComponentKind kind = config::ComponentKind::backbone;  ///< of the file: never preprocess
  std::vector<config::ComponentSpec> components;                 ///< at least one, names are unique
};

/// Reads a manifest:
///
///     name = "densenet"            # [a-z][a-z0-9_]*, at most 64 characters, as all names here
///     kind = "backbone"            # backbone | augmentation | optimizer | callback
///     version = "1.0.0"
///     summary = "Densely connected networks (Huang et al., 2017)."
///     [[component]]                # at least one
///     name = "densenet201"
///     summary = "..."              # default: the file's
///     stage = "preprocess"         # augmentations only: runs at decode instead of in the step
///     [component.facts]            # all optional
///     parameters = 18092928        # without a classifier
///     gmacs_224 = 4.29
///     smallest_size = 32
///     channels = 1920
///     weights = ["imagenet"]       # names in the weights index
///     [[component.param]]
///     name = "drop_rate"           # not `name` or `enabled`: an experiment's own words
///     type = "float"               # bool int float string path, `list of int` and so on
///     default = 0.0                # none: required
///     min = 0.0                    # or exclusive_min
///     max = 1.0                    # or exclusive_max
///     choices = [...]              # not beside a range
///     at_most = "high"             # another number of the component that this one must not exceed
///     window = "side"              # or "area": crops, see config::ParamSpec
///     unit = "probability"
///     doc = "Dropout after each dense layer."
///
/// `where` names the text in messages, which read `where:line:column: ...`. Throws bcx::Error
/// (plugin) for a syntax error and bcx::ErrorList (plugin) with every other mistake: unknown or
/// missing keys, wrong types, ranges that are empty, defaults outside their own range or in the
/// wrong order, names used twice.
Manifest parse_manifest(std::string_view text, const std::string& where);

/// Bytes of a manifest that are looked at; a larger one is refused.
inline constexpr std::size_t manifest_limit = 256 * 1024;

}  // namespace bcx::plugin
