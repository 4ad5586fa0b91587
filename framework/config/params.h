// What a parameter may be: the shared vocabulary of experiment files and plugin manifests.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace bcx::config {

/// A scalar or a list of one type. The alternatives and their order equal bcx::sdk::Value's.
using Value =
    std::variant<bool, std::int64_t, double, std::string, std::vector<bool>,
                 std::vector<std::int64_t>, std::vector<double>, std::vector<std::string>>;

/// `true`, `3`, `0.1`, `"adam"`, `[1, 2]`: TOML, the shortest text that reads back the same.
std::string to_toml(const Value& value);

/// Where a value came from: `experiments/base.toml:12:3`, `--set`, `BCX_DATA`, `default`,
/// `plugin manifest`.
struct Origin {
  enum class Kind { file, command_line, environment, schema_default, manifest_default };
  Kind kind = Kind::schema_default;
  std::string file;  ///< as the user would write it; for kind file
  int line = 0, column = 0;
  std::string detail;  ///< the option's text or the variable's name, for the other kinds
  std::string text() const;
};

enum class Type { boolean, integer, real, string, path, booleans, integers, reals, strings, paths };
std::string_view name_of(Type type);  ///< `bool`, `int`, `float`, `string`, `path`, `list of int`

/// One declared parameter: of the experiment file's own sections, or of a plugin's component.
struct ParamSpec {
  std::string name;
  Type type = Type::string;
  std::optional<Value> default_value;  ///< none: required
  std::optional<double> minimum, maximum;
  bool exclusive_minimum = false, exclusive_maximum = false;
  std::vector<Value> choices;
  std::string at_most;  ///< another parameter, a number too, that this one must not exceed
  /// "side" or "area": the share of each picture's side or area that comes to fill the whole
  /// picture, so that a larger data.cache_size shows more of it (crops). Empty: nothing of the
  /// kind.
  std::string window;
  std::string unit, doc;
};

/// Numbers of a component that can be shown without loading it.
struct Facts {
  std::optional<std::int64_t> parameters;     ///< without a classifier
  std::optional<double> gmacs_224;            ///< 10^9 multiply-accumulates for one 224 x 224 image
  std::optional<std::int64_t> smallest_size;  ///< pixels
  std::optional<std::int64_t> channels;       ///< of the feature map
  std::vector<std::string> weights;           ///< names in the weights index
  std::vector<std::string> metrics;           ///< names that a callback adds to an epoch's metrics
};

enum class ComponentKind { backbone, augmentation, optimizer, callback, preprocess };
std::string_view name_of(ComponentKind kind);

/// One component of a plugin, as its manifest declares it.
struct ComponentSpec {
  std::string name;
  ComponentKind kind = ComponentKind::backbone;
  std::string summary;
  std::vector<ParamSpec> params;
  Facts facts;
  std::string plugin, version, file;  ///< the plugin file's name, version and path
};

/// Where the validator asks for components; the plugin layer implements it from the manifests
/// found.
class Catalog {
 public:
  virtual ~Catalog() = default;
  /// nullptr when there is none of that name.
  virtual const ComponentSpec* find(ComponentKind kind, std::string_view name) const = 0;
  virtual std::vector<std::string> names(ComponentKind kind) const = 0;
};

}  // namespace bcx::config
