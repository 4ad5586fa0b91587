#include "engine/prepare_data.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>

#include "base/hash.h"
#include "base/signals.h"
#include "base/text.h"
#include "data/pack.h"
#include "data/scan.h"
#include "engine/preprocess.h"

namespace bcx::engine {
namespace {

using data::Part;
using train::Tone;

data::DecodedData decode(const config::DataConfig& config, const data::SampleTable& table,
                         const Preprocessing& preprocessing, train::Observer& observer) {
  data::DecodeOptions options;
  options.preprocess = preprocessing.hook();
  options.progress = [&](const data::DecodeProgress& p) {
    observer.progress(
        {.phase = "decode",
         .done = p.done,
         .total = p.total,
         .images_per_second = p.seconds > 0 ? static_cast<double>(p.done) / p.seconds : 0});
  };
  options.warn = [&](const std::string& text) { observer.message(Tone::warning, text); };
  auto decoded = data::decode_all(table, config, options);
  observer.message(
      Tone::note,
      fmt::format("decoded  {} images{} in {}", grouped(decoded.pixels.view().count),
                  decoded.from_cache ? " (from the cache)" : "", human_duration(decoded.seconds)));
  for (const auto& bad : decoded.quarantined)
    observer.message(Tone::warning,
                     fmt::format("left out {}: {}", printable(bad.relative), bad.problem));
  return decoded;
}

/// The image as it is kept, before preprocessing.
ImageReader reader_of(const data::SampleTable& table, const config::DataConfig& config) {
  return [&](std::int64_t i) {
    return data::decode_square(table.samples[static_cast<std::size_t>(i)], config);
  };
}

ImageReader reader_of(const data::PixelView& view) {
  return [view](std::int64_t i) {
    data::Image image(view.height, view.width);
    std::copy_n(view.image(i), image.rgb.size(), image.rgb.begin());
    return image;
  };
}

using Split = std::function<data::Split(const data::SampleTable&)>;

/// Opens, splits and preprocesses packed data.
void prepare_packed(const config::DataConfig& config, const Split& split,
                    Preprocessing& preprocessing, const nlohmann::json& states,
                    PreparedData& data) {
  data.decoded = data::decode_packed(config);
  data.split = split(data.decoded.table);
  preprocessing.prepare(data.part(Part::train), reader_of(data.decoded.pixels.view()), states);
  if (!preprocessing.empty())
    data::preprocess_pixels(data.decoded, preprocessing.hook(), config.workers);
}

/// Scans, splits, decodes and preprocesses data in files.
void prepare_files(const config::DataConfig& config, const Split& split,
                   Preprocessing& preprocessing, const nlohmann::json& states,
                   train::Observer& observer, PreparedData& data) {
  const auto table = data::scan(config);
  data.split = split(table);
  throw_if_stopped("scanning the data");
  preprocessing.prepare(data.part(Part::train), reader_of(table, config), states);
  data.decoded = decode(config, table, preprocessing, observer);
  if (data.decoded.quarantined.empty()) return;
  // Without the images left out the split is another one, and so is what may be fitted on.
  data.split = split(data.decoded.table);
  const auto before = preprocessing.states();
  const auto kept = data.decoded.table;
  preprocessing.prepare(data.part(Part::train), reader_of(kept, config), states);
  if (preprocessing.states() != before)
    data.decoded = decode(config, kept, preprocessing, observer);
}

/// `macenko left 3 of 352 images as they were (blank: 2, one colour: 1), the first of them a.png`
void describe_unprocessed(const data::DecodedData& decoded, train::Observer& observer) {
  struct Group {
    std::int64_t count = 0;
    std::string first;
  };
  std::map<std::string, Group> groups;  // by component and reason
  for (std::size_t i = 0; i < decoded.facts.size(); ++i) {
    if (decoded.facts[i].unprocessed.empty()) continue;
    auto& group = groups[decoded.facts[i].unprocessed];
    if (group.count++ == 0) group.first = decoded.table.samples[i].relative;
  }
  for (const auto& [reason, group] : groups)
    observer.message(
        Tone::warning,
        fmt::format("{} of {} images stay as they were, {}, such as {}", grouped(group.count),
                    grouped(static_cast<std::int64_t>(decoded.facts.size())), printable(reason),
                    printable(group.first)));
}

std::string data_hash(const data::DecodedData& decoded) {
  Sha256 sum;
  for (std::size_t i = 0; i < decoded.table.samples.size(); ++i) {
    const auto& sample = decoded.table.samples[i];
    sum.update(fmt::format("{}\n{}\n{:016x}\n", sample.relative,
                           decoded.table.classes[static_cast<std::size_t>(sample.label)],
                           decoded.facts[i].pixel_hash));
  }
  return sum.hex();
}

std::vector<std::string> patients_of(const data::SampleTable& table, const std::string& attribute) {
  std::vector<std::string> patients;
  const auto column = table.attribute(attribute);
  if (!column) return patients;
  for (const auto& sample : table.samples) patients.push_back(sample.attributes[*column]);
  return patients;
}

/// `120 benign, 92 malignant`, or of many classes `1,000 classes of 12 to 340`.
std::string classes_text(const data::Split& split, const data::SampleTable& table, std::size_t p) {
  constexpr std::size_t most_named = 12;
  if (table.classes.size() > most_named) {
    const auto [least, most] =
        std::minmax_element(split.images.begin(), split.images.end(),
                            [p](const auto& a, const auto& b) { return a[p] < b[p]; });
    return fmt::format("{} classes of {} to {}", grouped(std::ssize(table.classes)),
                       grouped((*least)[p]), grouped((*most)[p]));
  }
  std::vector<std::string> classes;
  for (std::size_t c = 0; c < split.images.size(); ++c)
    classes.push_back(
        fmt::format("{} {}", grouped(split.images[c][p]), printable(table.classes[c])));
  return join(classes, ", ");
}

/// `train 212 images of 9 cases (120 benign, 92 malignant)`
std::string part_text(const data::Split& split, const data::SampleTable& table, Part part) {
  const auto p = static_cast<std::size_t>(part);
  std::int64_t images = 0, groups = 0;
  for (std::size_t c = 0; c < split.images.size(); ++c) {
    images += split.images[c][p];
    groups += split.groups[c][p];
  }
  const std::string of = split.group.empty() ? "" : fmt::format(" of {} {}s", groups, split.group);
  return fmt::format("{} {}{} ({})", data::name_of(part), grouped(images), of,
                     classes_text(split, table, p));
}

/// Everything but the audit.
PreparedData decoded_and_split(const config::Experiment& experiment,
                               const plugin::PluginCatalog& catalog, const Split& split,
                               train::Observer& observer, const nlohmann::json& preprocess) {
  const auto& config = experiment.data;
  Preprocessing preprocessing(experiment.preprocess, catalog);
  PreparedData data;
  if (config.source == "packed")
    prepare_packed(config, split, preprocessing, preprocess, data);
  else
    prepare_files(config, split, preprocessing, preprocess, observer, data);
  data.preprocess = preprocessing.states();
  throw_if_stopped("preparing the data");
  data.hash = data_hash(data.decoded);
  data.patients = patients_of(data.decoded.table, config.patient);
  return data;
}

/// What the audit found that a stamp stands for.
std::string why(const data::AuditReport& audit, std::string_view stamp) {
  if (stamp == "UNGROUPED") return "the data do not say which images are of one patient";
  std::vector<std::string> texts;
  for (const auto& finding : audit.findings)
    if (stamp == "LEAKY" ? finding.name == "group_overlap" : finding.name == lower(stamp))
      texts.push_back(finding.text);
  return join(texts, "; ");
}

}  // namespace

train::Candidates PreparedData::candidates() const {
  train::Candidates result;
  result.indexes = part(Part::train);
  const auto column = split.group.empty() ? std::nullopt : decoded.table.attribute(split.group);
  for (const auto i : result.indexes) {
    const auto& sample = decoded.table.samples[static_cast<std::size_t>(i)];
    result.labels.push_back(sample.label);
    if (column) result.groups.push_back(sample.attributes[*column]);
  }
  return result;
}

void describe(const PreparedData& data, train::Observer& observer) {
  const auto& table = data.decoded.table;
  std::string before =
      fmt::format("split    by {}: ", data.split.group.empty() ? "image" : data.split.group);
  for (const auto part : {Part::train, Part::validation, Part::test}) {
    if (data.split.method == "external" && part != Part::test) continue;
    observer.message(Tone::note,
                     std::exchange(before, "         ") + part_text(data.split, table, part));
  }
  for (const auto& warning : data.split.warnings) observer.message(Tone::warning, warning);
  for (const auto& stamp : data.audit.stamps)
    observer.message(Tone::warning, fmt::format("this run is stamped {}", stamp));
  for (const auto& finding : data.audit.findings)
    observer.message(Tone::warning, fmt::format("{}: {}", finding.name, finding.text));
  describe_unprocessed(data.decoded, observer);
}

PreparedData prepare_data(const config::Experiment& experiment,
                          const plugin::PluginCatalog& catalog, train::Observer& observer,
                          const nlohmann::json& preprocess) {
  const auto& config = experiment.data;
  auto data = decoded_and_split(
      experiment, catalog,
      [&](const data::SampleTable& table) {
        return data::make_split(table, config.split, config.patient);
      },
      observer, preprocess);
  data.audit = data::audit(data.decoded.table, data.split, &data.decoded.facts, config.allow,
                           config.patient);
  describe(data, observer);
  data::require_clean(data.audit);
  return data;
}

PreparedData prepare_test_data(const config::Experiment& experiment,
                               const plugin::PluginCatalog& catalog, train::Observer& observer,
                               const nlohmann::json& preprocess) {
  return decoded_and_split(
      experiment, catalog,
      [&](const data::SampleTable& table) {
        return data::test_split(table, experiment.data.patient);
      },
      observer, preprocess);
}

PreparedData decode_table(const config::Experiment& experiment,
                          const plugin::PluginCatalog& catalog, train::Observer& observer,
                          const nlohmann::json& preprocess) {
  return decoded_and_split(
      experiment, catalog, [](const data::SampleTable&) { return data::Split{}; }, observer,
      preprocess);
}

void record_data(const PreparedData& data, const config::Experiment& experiment,
                 tracker::RunWriter& tracker) {
  const auto& table = data.decoded.table;
  std::vector<tracker::SampleRow> samples;
  std::vector<tracker::SplitMember> members;
  for (std::size_t i = 0; i < table.samples.size(); ++i) {
    const auto& sample = table.samples[i];
    std::vector<std::pair<std::string, std::string>> attributes;
    for (std::size_t a = 0; a < table.attribute_names.size(); ++a)
      attributes.emplace_back(table.attribute_names[a], sample.attributes[a]);
    samples.push_back({sample.id, sample.relative, sample.label,
                       data.patients.empty() ? std::string() : data.patients[i],
                       std::move(attributes)});
    members.push_back({sample.id, std::string(data::name_of(data.split.parts[i]))});
  }
  tracker.dataset({.hash = data.hash,
                   .source = experiment.data.source,
                   .root = experiment.data.root.string(),
                   .classes = table.classes,
                   .positive = table.positive,
                   .patient = data.patients.empty() ? "" : experiment.data.patient},
                  samples);
  nlohmann::json findings = nlohmann::json::array();
  for (const auto& f : data.audit.findings)
    findings.push_back({{"name", f.name},
                        {"key", f.key},
                        {"count", f.count},
                        {"text", f.text},
                        {"examples", f.examples},
                        {"allowed", f.allowed}});
  tracker.split({.hash = data.split.hash,
                 .dataset = data.hash,
                 .method = data.split.method,
                 .by = data.split.group.empty() ? "image" : data.split.group,
                 .fold = data.split.fold,
                 .folds = data.split.folds,
                 .audit = findings.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)},
                members);
  for (const auto& stamp : data.audit.stamps) tracker.stamp(stamp, why(data.audit, stamp));
  for (const auto& [instance, state] : data.preprocess.items())
    tracker.param({.key = fmt::format("preprocess.{}.state", instance),
                   .value = state.get<std::string>(),
                   .list = false,
                   .origin = "fitted"});
}

}  // namespace bcx::engine
