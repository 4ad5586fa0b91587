#include "verify_compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <map>
#include <set>

#include "base/text.h"
#include "weights/safetensors.h"

namespace bcx::cli {
namespace {

using tracker::Reader;

/// What ends a comparison.
struct Differs {
  std::string what;
};

bool depends_on_the_clock(const std::string& metric) {
  return metric.starts_with("time.") || metric == "images_per_second" || metric == "memory.peak";
}

bool same_bits(double a, double b) {
  return std::memcmp(&a, &b, sizeof a) == 0;
}

std::string list(const std::set<std::string>& names) {
  return join(std::vector<std::string>(names.begin(), names.end()), ", ");
}

/// Kept checkpoint files by tag; of "last" the newest.
std::map<std::string, std::filesystem::path> checkpoints(const Reader& reader,
                                                         const std::string& run) {
  std::map<std::string, std::filesystem::path> files;
  std::int64_t newest = -1;
  for (const auto& [row, time, kept] : reader.checkpoints(run)) {
    if (!kept || (row.tag == "last" && row.cursor.step < newest)) continue;
    if (row.tag == "last") newest = row.cursor.step;
    files[row.tag] = reader.folder() / row.path;
  }
  return files;
}

template <typename Map>
std::set<std::string> keys(const Map& map) {
  std::set<std::string> names;
  for (const auto& [name, value] : map) names.insert(name);
  return names;
}

void require_same_names(const std::string& what, const std::set<std::string>& a,
                        const std::set<std::string>& b) {
  if (a != b) throw Differs{fmt::format("{}: {} and {}", what, list(a), list(b))};
}

std::set<std::string> tensor_names(const weights::SafetensorsFile& file) {
  std::set<std::string> names;
  for (const auto& tensor : file.tensors()) names.insert(tensor.name);
  return names;
}

void compare_files(const std::string& tag, const std::filesystem::path& one,
                   const std::filesystem::path& other, Comparison& done) {
  const auto a = weights::SafetensorsFile::open(one), b = weights::SafetensorsFile::open(other);
  require_same_names(fmt::format("tensors of checkpoint \"{}\"", tag), tensor_names(a),
                     tensor_names(b));
  for (const auto& tensor : a.tensors()) {
    const auto& twin = *b.find(tensor.name);
    const auto name = fmt::format("tensor {} of checkpoint \"{}\"", tensor.name, tag);
    if (tensor.dtype != twin.dtype || tensor.shape != twin.shape)
      throw Differs{fmt::format("{}: {} {} and {} {}", name, weights::name_of(tensor.dtype),
                                weights::text_of(tensor.shape), weights::name_of(twin.dtype),
                                weights::text_of(twin.shape))};
    const auto at = std::mismatch(tensor.bytes.begin(), tensor.bytes.end(), twin.bytes.begin());
    if (at.first != tensor.bytes.end())
      throw Differs{fmt::format(
          "{}: element {} of {}", name,
          static_cast<std::size_t>(at.first - tensor.bytes.begin()) / size_of(tensor.dtype),
          tensor.bytes.size() / size_of(tensor.dtype))};
    ++done.tensors;
    done.bytes += tensor.bytes.size();
  }
  ++done.checkpoints;
}

void compare_checkpoints(const Reader& reader, const std::string& one, const std::string& other,
                         Comparison& done) {
  const auto a = checkpoints(reader, one), b = checkpoints(reader, other);
  require_same_names("checkpoints", keys(a), keys(b));
  for (const auto& [tag, path] : a) compare_files(tag, path, b.at(tag), done);
}

std::set<std::string> metrics(const Reader& reader, const std::string& run) {
  std::set<std::string> names;
  for (const auto& name : reader.metric_keys(run))
    if (!depends_on_the_clock(name)) names.insert(name);
  return names;
}

void compare_metrics(const Reader& reader, const std::string& one, const std::string& other,
                     Comparison& done) {
  const auto names = metrics(reader, one);
  require_same_names("metrics", names, metrics(reader, other));
  for (const auto& name : names) {
    const auto a = reader.series(one, name), b = reader.series(other, name);
    if (a.size() != b.size())
      throw Differs{fmt::format("metric {}: {} and {} values", name, a.size(), b.size())};
    for (std::size_t i = 0; i < a.size(); ++i)
      if (a[i].step != b[i].step || !same_bits(a[i].epoch, b[i].epoch) ||
          !same_bits(a[i].value, b[i].value))
        throw Differs{fmt::format("metric {}: {} at step {} and {} at step {}", name,
                                  shortest(a[i].value), a[i].step, shortest(b[i].value),
                                  b[i].step)};
    ++done.series;
    done.values += static_cast<std::int64_t>(a.size());
  }
}

std::string title(const tracker::EvaluationRow& row) {
  return fmt::format("{} evaluation of the {} part at step {}", row.purpose, row.part,
                     row.cursor.step);
}

void compare_predictions(const Reader& reader, const tracker::EvaluationShown& one,
                         const tracker::EvaluationShown& other, Comparison& done) {
  const auto name = title(one.row);
  if (name != title(other.row) || one.row.tta != other.row.tta)
    throw Differs{fmt::format("evaluations: {} and {}", name, title(other.row))};
  const auto a = reader.predictions(one.id), b = reader.predictions(other.id);
  if (a.size() != b.size())
    throw Differs{fmt::format("{}: {} and {} predictions", name, a.size(), b.size())};
  for (std::size_t i = 0; i < a.size(); ++i)
    if (a[i].sample != b[i].sample || a[i].logits.size() != b[i].logits.size() ||
        std::memcmp(a[i].logits.data(), b[i].logits.data(), a[i].logits.size() * sizeof(float)))
      throw Differs{fmt::format("{}: the prediction for {}", name, printable(a[i].name))};
  const auto& known = other.row.metrics;
  for (const auto& [key, value] : one.row.metrics) {
    const auto twin =
        std::find_if(known.begin(), known.end(), [&](const auto& m) { return m.first == key; });
    if (twin == known.end() || !same_bits(twin->second, value))
      throw Differs{fmt::format("{}: {}", name, key)};
  }
  ++done.evaluations;
  done.predictions += static_cast<std::int64_t>(a.size());
}

void compare_evaluations(const Reader& reader, const std::string& one, const std::string& other,
                         Comparison& done) {
  const auto a = reader.evaluations(one), b = reader.evaluations(other);
  if (a.size() != b.size())
    throw Differs{fmt::format("{} and {} evaluations", a.size(), b.size())};
  for (std::size_t i = 0; i < a.size(); ++i) compare_predictions(reader, a[i], b[i], done);
}

/// Threshold and temperature.
void compare_settled(const Reader& reader, const std::string& one, const std::string& other) {
  const auto a = reader.run(one), b = reader.run(other);
  for (const auto& [key, param] : a.params) {
    if (param.origin != "chosen on validation") continue;
    const auto twin = b.params.find(key);
    if (twin == b.params.end() || twin->second.value != param.value)
      throw Differs{fmt::format("the {} that validation settled", key)};
  }
}

}  // namespace

Comparison compare_runs(const Reader& reader, const std::string& one, const std::string& other) {
  Comparison done;
  try {
    compare_checkpoints(reader, one, other, done);
    compare_metrics(reader, one, other, done);
    compare_evaluations(reader, one, other, done);
    compare_settled(reader, one, other);
  } catch (const Differs& differs) {
    done.difference = differs.what;
  }
  return done;
}

}  // namespace bcx::cli
