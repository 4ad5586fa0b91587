#include "weights/match.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>

#include "base/error.h"
#include "base/text.h"

namespace bcx::weights {
namespace {

constexpr std::size_t most_lines = 10;

bool is_batch_counter(std::string_view name) {
  return name == "num_batches_tracked" || name.ends_with(".num_batches_tracked");
}

/// Swin's published files hold a table of constants that the backbone computes.
bool is_constant_table(std::string_view name) {
  return name.ends_with(".relative_position_index");
}

bool has_prefix(std::string_view name, const std::vector<std::string>& prefixes) {
  return std::any_of(prefixes.begin(), prefixes.end(),
                     [&](const std::string& prefix) { return name.starts_with(prefix); });
}

/// The first components of names, each once: `classifier., fc.`.
std::string prefixes_of(const std::vector<std::string>& names) {
  std::vector<std::string> prefixes;
  for (const auto& name : names) {
    std::string prefix = is_batch_counter(name)    ? "num_batches_tracked"
                         : is_constant_table(name) ? "relative_position_index"
                                                   : name.substr(0, name.find('.') + 1);
    if (std::find(prefixes.begin(), prefixes.end(), prefix) == prefixes.end())
      prefixes.push_back(std::move(prefix));
  }
  return printable(join(prefixes, ", "));
}

/// Lines about faults, cut after most_lines.
class FaultList {
 public:
  void add(std::string line) {
    if (lines_.size() < most_lines) lines_.push_back(std::move(line));
    ++count_;
  }
  std::string text() const {
    std::string text;
    for (const auto& line : lines_) text += "\n  " + line;
    if (count_ > lines_.size()) text += fmt::format("\n  and {} more", count_ - lines_.size());
    return text;
  }

 private:
  std::vector<std::string> lines_;
  std::size_t count_ = 0;
};

}  // namespace

MatchReport match(std::span<const ModelTensor> model, const SafetensorsFile& file,
                  const MatchOptions& options) {
  MatchReport report;
  std::unordered_set<std::string_view> wanted;
  for (const auto& tensor : model) {
    wanted.insert(tensor.name);
    const TensorView* found = file.find(tensor.name);
    if (found && found->shape == tensor.shape)
      report.loaded.push_back(tensor.name);
    else if (found)
      report.misshaped.push_back({tensor.name, tensor.shape, found->shape});
    else if (!options.ignore_batch_counters || !is_batch_counter(tensor.name))
      report.missing.push_back(tensor.name);
  }
  for (const auto& tensor : file.tensors()) {
    if (wanted.contains(tensor.name)) continue;
    const bool skip = (options.ignore_batch_counters && is_batch_counter(tensor.name)) ||
                      is_constant_table(tensor.name) ||
                      has_prefix(tensor.name, options.skip_prefixes);
    (skip ? report.skipped : report.unexpected).push_back(tensor.name);
  }
  return report;
}

std::string MatchReport::summary() const {
  std::string text = fmt::format("loaded {} tensors", loaded.size());
  if (!skipped.empty())
    text += fmt::format(", left out {} ({})", skipped.size(), prefixes_of(skipped));
  return text;
}

void require_complete(const MatchReport& report, const SafetensorsFile& file) {
  if (report.complete()) return;
  FaultList faults;
  for (const auto& [name, expected, found] : report.misshaped)
    faults.add(fmt::format("\"{}\" is {}, the model has {}", printable(name), text_of(found),
                           text_of(expected)));
  for (const auto& name : report.missing) {
    const auto near = nearest(name, report.unexpected);
    faults.add(fmt::format("\"{}\" is missing{}", printable(name),
                           near ? fmt::format("; the file has \"{}\"", printable(*near)) : ""));
  }
  for (const auto& name : report.unexpected)
    faults.add(fmt::format("\"{}\" is not in the model", printable(name)));
  throw Error(
      ExitCode::data,
      {fmt::format("these weights do not fit the model: {} tensors fit, {} missing, {} of another "
                   "shape, {} unexpected{}",
                   report.loaded.size(), report.missing.size(), report.misshaped.size(),
                   report.unexpected.size(), faults.text()),
       printable(file.path().string()),
       {}});
}

}  // namespace bcx::weights
