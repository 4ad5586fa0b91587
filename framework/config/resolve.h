// A merged tree against the schema and the catalog: every key's value and origin, every mistake.
#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "config/document.h"
#include "config/experiment.h"
#include "config/problems.h"

namespace bcx::config {

/// What relative paths are relative to, and what the experiment's file is called.
struct Places {
  std::filesystem::path working_directory, file;
};

/// Every key of the experiment in the schema's order. A key whose value was wrong is missing from
/// `entries` and named in `wrong`.
class Resolution {
 public:
  std::vector<Experiment::Resolved> entries;
  std::set<std::string, std::less<>> wrong;
  /// By kind; those that are enabled, in the order of the file.
  std::map<ComponentKind, std::vector<Component>> components;
  /// Elements of repeated sections without components: "train.stage", "optimizer.group".
  std::map<std::string, std::size_t, std::less<>> counts;

  void add(Experiment::Resolved entry);
  const Experiment::Resolved* find(std::string_view key) const;
  /// The value of a key, or T{} when it was wrong.
  template <typename T>
  T get(std::string_view key) const {
    const auto* entry = find(key);
    const T* value = entry ? std::get_if<T>(&entry->value) : nullptr;
    return value ? *value : T{};
  }

 private:
  std::map<std::string, std::size_t, std::less<>> index_;
};

/// Checks everything that one key can get wrong by itself.
Resolution resolve(const Node& root, const Catalog& catalog, const Places& places,
                   Problems& problems);

/// `value` made absolute: relative to the file that says it, or to the working directory.
std::string absolute_path(const std::string& value, const Origin& origin, const Places& places);

}  // namespace bcx::config
