#include "config/conflicts.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <optional>

#include "base/text.h"
#include "config/conflict_rules.h"

namespace bcx::config {
namespace {

/// A number that takes the whole of `text`.
std::optional<double> whole_number(const std::string& text) {
  if (text.empty() || text.find_first_not_of("0123456789.+-eE") != std::string::npos)
    return std::nullopt;
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  return *end == '\0' ? std::optional(value) : std::nullopt;
}

bool is_device(const std::string& text) {
  if (text == "auto" || text == "cpu" || text == "cuda") return true;
  return text.starts_with("cuda:") && text.size() > 5 && text.size() <= 8 &&
         std::all_of(text.begin() + 5, text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool is_threshold(const std::string& text) {
  if (text == "youden") return true;
  constexpr std::string_view cost = "cost=";
  if (text.starts_with(cost)) {
    const auto number = whole_number(text.substr(cost.size()));
    return number && *number > 0 && *number <= 1e9;
  }
  const auto at = text.find(">=");
  const bool rule = text.starts_with("sensitivity>=") || text.starts_with("specificity>=");
  const auto number = whole_number(rule ? text.substr(at + 2) : text);
  return number && *number >= 0 && *number <= 1;
}

/// Texts with a grammar of their own.
class TextRules : ConflictRules {
 public:
  explicit TextRules(const ConflictRules& rules) : ConflictRules(rules) {}

  void run() {
    if (known({"train.device"}) && !is_device(experiment_.train.device))
      conflict({"train.device"},
               fmt::format(
                   "train.device: expected \"auto\", \"cpu\", \"cuda\" or \"cuda:N\", got \"{}\"",
                   shown("train.device")));
    if (known({"evaluate.threshold"}) && !is_threshold(experiment_.evaluate.threshold))
      conflict({"evaluate.threshold"},
               fmt::format("evaluate.threshold: expected a number from 0 to 1, \"youden\", "
                           "\"sensitivity>=X\", \"specificity>=X\" or \"cost=C\", got \"{}\"",
                           shown("evaluate.threshold")));
    weights();
  }

 private:
  void weights() {
    const auto& text = experiment_.model.weights;
    if (!known({"model.weights"}) || text == "none" || text == "imagenet" ||
        text.ends_with(".safetensors"))
      return;
    const std::vector<std::string> words = {"none", "imagenet"};
    const std::string said = std::filesystem::path(text).filename().string();
    conflict(
        {"model.weights"},
        fmt::format("model.weights: expected \"none\", \"imagenet\" or a path of a .safetensors "
                    "file, got \"{}\"",
                    clip(printable(said), 60)),
        text.ends_with(".pth") || text.ends_with(".pt") ? "tools/convert_weights makes one of it"
                                                        : did_you_mean(said, words));
  }
};

}  // namespace

void ConflictRules::conflict(Keys keys, std::string what, std::string remedy) {
  const Experiment::Resolved* place = nullptr;
  for (const char* key : keys) {
    const auto* entry = resolution_.find(key);
    if (!entry) return;
    if (!place || (is_default(*place) && !is_default(*entry))) place = entry;
  }
  problems_.add(place->origin, std::move(what), std::move(remedy));
}

bool ConflictRules::is_default(const Experiment::Resolved& entry) {
  return entry.origin.kind == Origin::Kind::schema_default ||
         entry.origin.kind == Origin::Kind::manifest_default;
}

bool ConflictRules::known(Keys keys) const {
  return std::all_of(keys.begin(), keys.end(),
                     [&](const char* key) { return resolution_.find(key) != nullptr; });
}

std::string ConflictRules::shown(const char* key) const {
  return clip(printable(resolution_.get<std::string>(key)), 60);
}

void check_conflicts(const Experiment& experiment, const Resolution& resolution,
                     const Catalog& catalog, Problems& problems) {
  const ConflictRules rules(experiment, resolution, catalog, problems);
  TextRules(rules).run();
  check_data_conflicts(rules);
  check_train_conflicts(rules);
  check_callback_conflicts(rules);
}

}  // namespace bcx::config
