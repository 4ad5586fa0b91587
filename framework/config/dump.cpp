// An experiment as text again, and as a hash.

#include <fmt/format.h>

#include <algorithm>

#include "base/hash.h"
#include "base/text.h"
#include "config/load.h"
#include "config/load_tree.h"
#include "config/schema.h"

namespace bcx::config {
namespace {

using Entry = Experiment::Resolved;

bool is_path(const Entry& entry) {
  return entry.type == Type::path || entry.type == Type::paths;
}

/// `augmentation.rotate#2.degrees` after "augmentation" is {"rotate#2", "degrees"}.
struct ElementKey {
  std::string_view element, key;
};

ElementKey element_key(std::string_view key, const Section& section) {
  key.remove_prefix(section.name.size() + 1);
  const std::size_t dot = key.rfind('.');
  return {key.substr(0, dot), key.substr(dot + 1)};
}

/// The section an entry belongs to: the one with the longest name that leads its key.
const Section* section_of(const Entry& entry) {
  const Section* best = nullptr;
  for (const auto& section : schema())
    if (entry.key.starts_with(section.name + ".") &&
        (!best || section.name.size() > best->name.size()))
      best = &section;
  return best;
}

class Writer {
 public:
  std::string run(const Experiment& experiment) {
    text_ = fmt::format("# {}, resolved: every key, and where its value comes from.\n",
                        printable(experiment.file.filename().string()));
    for (const auto& entry : experiment.resolved) line(entry);
    return std::move(text_);
  }

  /// Without what is only a default.
  std::string run_said(const Experiment& experiment) {
    origins_ = false;  // the same text wherever in the files it was said
    text_ = fmt::format("# {}: every key that was said.\n",
                        printable(experiment.file.filename().string()));
    for (const auto& entry : experiment.resolved)
      if (entry.origin.kind != Origin::Kind::schema_default &&
          entry.origin.kind != Origin::Kind::manifest_default)
        line(entry);
    return std::move(text_);
  }

 private:
  void line(const Entry& entry) {
    const Section* section = section_of(entry);
    if (!section) return;
    std::string_view key = std::string_view(entry.key).substr(section->name.size() + 1);
    std::string header = fmt::format("[{}]", section->name);
    std::string_view element;
    if (section->repeated) {
      const ElementKey parts = element_key(entry.key, *section);
      element = parts.element;
      key = parts.key;
      header = fmt::format("[[{}]]", section->name);
    }
    if (header != header_ || element != element_) {
      text_ += "\n" + header + "\n";
      header_ = header;
      element_ = element;
    }
    write(entry, key);
  }

  void write(const Entry& entry, std::string_view key) {
    // Only the plugin knows what its own relative default is relative to.
    const bool own = is_path(entry) && entry.origin.kind == Origin::Kind::manifest_default;
    const std::string said = fmt::format("{}{} = {}", own ? "# " : "", key, to_toml(entry.value));
    text_ += origins_ ? fmt::format("{:<39} # {}\n", said, entry.origin.text()) : said + "\n";
  }

  bool origins_ = true;
  std::string text_, header_, element_;
};

/// What a run's numbers do not depend on, or what is compared by itself on resuming.
bool is_left_out(const Entry& entry) {
  static const std::vector<std::string> keys = {
      "experiment.name", "experiment.tags", "experiment.notes", "data.workers", "train.epochs",
      "train.threads", "tracker.path", "plugins.path", "train.cuda_graph",
      // What to do about trouble, so that a run that had some can go on otherwise.
      "train.not_finite", "train.not_finite_limit", "train.roll_back_factor",
      "train.allow_micro_batches"};
  return std::find(keys.begin(), keys.end(), entry.key) != keys.end() ||
         entry.key.ends_with(".enabled") || entry.key.starts_with("callback.time_limit.");
}

/// Where files lie is no part of an experiment; whether a word stood there instead of a path is.
std::string hashed_value(const Entry& entry) {
  const auto* text = std::get_if<std::string>(&entry.value);
  const bool word = text && text->find('/') == std::string::npos;
  return is_path(entry) && !word ? "path" : to_toml(entry.value);
}

/// Prefixes of components that are switched off: `augmentation.rotate.`
std::vector<std::string> disabled(const Experiment& experiment) {
  std::vector<std::string> prefixes;
  for (const auto& entry : experiment.resolved)
    if (entry.key.ends_with(".enabled") && entry.value == Value(false))
      prefixes.push_back(entry.key.substr(0, entry.key.size() - 7));
  return prefixes;
}

}  // namespace

std::string resolved_text(const Experiment& experiment) {
  return Writer().run(experiment);
}

std::string said_text(const Experiment& experiment) {
  return Writer().run_said(experiment);
}

std::string configuration_hash(const Experiment& experiment) {
  const auto off = disabled(experiment);
  Sha256 hash;
  for (const auto& entry : experiment.resolved) {
    const bool is_off = std::any_of(off.begin(), off.end(), [&](const std::string& prefix) {
      return entry.key.starts_with(prefix);
    });
    if (!is_off && !is_left_out(entry)) hash.update(entry.key + " = " + hashed_value(entry) + "\n");
  }
  return hash.hex();
}

}  // namespace bcx::config
