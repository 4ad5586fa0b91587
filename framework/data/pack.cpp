#include "data/pack.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/error.h"
#include "base/hash.h"
#include "base/text.h"
#include "data/facts_json.h"
#include "data/pixel_file.h"

namespace bcx::data {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::int64_t version = 1;
constexpr std::int64_t most_classes = 10'000;

[[noreturn]] void damaged(const std::string& what) {
  throw Error(ExitCode::data, fmt::format("is damaged: {}", what));
}

// Runs `work`, adding the path to errors that have no place.
template <typename Work>
auto at_path(const fs::path& path, Work work) {
  try {
    return work();
  } catch (const Error& error) {
    ErrorParts parts = error.parts();
    if (parts.where.empty()) parts.where = printable(path.string());
    throw Error(error.code(), std::move(parts));
  }
}

std::string table_json(const DecodedData& data, const PackSettings& settings) {
  json samples = json::array();
  for (std::size_t i = 0; i < data.table.samples.size(); ++i) {
    const Sample& sample = data.table.samples[i];
    samples.push_back({{"name", sample.relative},
                       {"label", static_cast<std::uint64_t>(sample.label)},
                       {"attributes", sample.attributes},
                       {"facts", facts_to_json(data.facts[i])}});
  }
  return dump({{"version", static_cast<std::uint64_t>(version)},
               {"settings",
                {{"resize", settings.resize},
                 {"interpolation", settings.interpolation},
                 {"preprocess", settings.preprocess}}},
               {"classes", data.table.classes},
               {"positive", static_cast<std::uint64_t>(data.table.positive)},
               {"attributes", data.table.attribute_names},
               {"samples", std::move(samples)}});
}

void check_distinct(const std::vector<std::string>& names, const char* what) {
  if (std::set<std::string>(names.begin(), names.end()).size() != names.size())
    damaged(fmt::format("two {} have the same name", what));
}

Sample read_sample(const json& object, const SampleTable& table) {
  Sample sample;
  sample.relative = text_field(object, "name");
  if (sample.relative.empty()) damaged("a sample without a name");
  sample.id = stable_hash(sample.relative);
  sample.label = static_cast<int>(
      count_field(object, "label", static_cast<std::int64_t>(table.classes.size()) - 1));
  sample.attributes = texts_field(object, "attributes");
  if (sample.attributes.size() != table.attribute_names.size())
    damaged(fmt::format("sample {} has {} attributes of {}", printable(sample.relative),
                        sample.attributes.size(), table.attribute_names.size()));
  return sample;
}

void read_table(const json& object, PackedData& data) {
  if (const auto found = count_field(object, "version", 1'000'000); found != version)
    throw Error(ExitCode::data,
                {fmt::format("was packed in version {} of the format, and this bcx reads {}", found,
                             version),
                 {},
                 "pack it again with this bcx"});
  data.table.classes = texts_field(object, "classes");
  const auto classes = static_cast<std::int64_t>(data.table.classes.size());
  if (classes == 0 || classes > most_classes) damaged(fmt::format("it has {} classes", classes));
  check_distinct(data.table.classes, "classes");
  data.table.positive =
      static_cast<int>(count_field(object, "positive", std::max<std::int64_t>(classes - 1, 1)));
  data.table.attribute_names = texts_field(object, "attributes");
  check_distinct(data.table.attribute_names, "attributes");
  for (const json& one : array_field(object, "samples")) {
    if (!one.is_object()) damaged("a sample is not what it should be");
    Sample sample = read_sample(one, data.table);
    if (!data.table.samples.empty() && data.table.samples.back().relative >= sample.relative)
      damaged("its samples are not in order");
    data.table.samples.push_back(std::move(sample));
    const auto facts = one.find("facts");
    if (facts == one.end()) damaged("a sample without facts");
    data.facts.push_back(facts_from_json(*facts));
  }
}

PackSettings read_settings(const json& object, std::int64_t size) {
  const auto found = object.find("settings");
  if (found == object.end() || !found->is_object()) damaged("its table lacks \"settings\"");
  return {size, text_field(*found, "resize"), text_field(*found, "interpolation"),
          text_field(*found, "preprocess")};
}

// A packed file cannot be resized again: it must be what the experiment asks for.
void check_settings(const PackSettings& packed, const config::DataConfig& config) {
  const std::int64_t size = config.cache_size > 0 ? config.cache_size : config.image_size;
  const auto refuse = [](const char* key, const std::string& has, const std::string& wants) {
    throw Error(
        ExitCode::data,
        {fmt::format("was packed with {} = {}, and the experiment asks for {}", key, has, wants),
         {},
         fmt::format("pack it again, or set {} = {}", key, has)});
  };
  const auto quoted = [](const std::string& word) {
    return fmt::format("\"{}\"", printable(word));
  };
  if (packed.size != size)
    refuse("data.cache_size", std::to_string(packed.size), std::to_string(size));
  if (packed.resize != config.resize)
    refuse("data.resize", quoted(packed.resize), quoted(config.resize));
  if (packed.interpolation != config.interpolation)
    refuse("data.interpolation", quoted(packed.interpolation), quoted(config.interpolation));
}

void apply_classes(SampleTable& table, const config::DataConfig& config) {
  const auto listed = [](const std::vector<std::string>& names) {
    return printable(join(names, ", "));
  };
  if (!config.classes.empty() && config.classes != table.classes)
    throw Error(ExitCode::data,
                {fmt::format("was packed with the classes {}, and the experiment asks for {}",
                             listed(table.classes), listed(config.classes)),
                 {},
                 "pack it again, or leave data.classes out"});
  if (config.positive.empty()) return;
  const auto found = std::find(table.classes.begin(), table.classes.end(), config.positive);
  if (found == table.classes.end())
    throw Error(ExitCode::data, {fmt::format("has no class \"{}\"", printable(config.positive)),
                                 {},
                                 did_you_mean(config.positive, table.classes)});
  table.positive = static_cast<int>(found - table.classes.begin());
}

// The samples of the magnifications asked for, their pixels copied together.
void select_magnifications(DecodedData& data, const std::vector<std::int64_t>& magnifications) {
  const auto column = data.table.attribute("magnification");
  if (magnifications.empty() || !column) return;
  const PixelView all = data.pixels.view();
  const auto bytes = static_cast<std::size_t>(all.height * all.width * 3);
  std::vector<Sample> samples;
  std::vector<ImageFacts> facts;
  std::vector<std::uint8_t> pixels;
  for (std::size_t i = 0; i < data.table.samples.size(); ++i) {
    const std::string& has = data.table.samples[i].attributes[*column];
    const bool wanted = std::any_of(magnifications.begin(), magnifications.end(),
                                    [&](std::int64_t m) { return has == std::to_string(m); });
    if (!wanted) continue;
    samples.push_back(data.table.samples[i]);
    facts.push_back(data.facts[i]);
    const std::uint8_t* image = all.image(static_cast<std::int64_t>(i));
    pixels.insert(pixels.end(), image, image + bytes);
  }
  if (samples.size() == data.table.samples.size()) return;
  data.table.samples = std::move(samples);
  data.facts = std::move(facts);
  data.pixels =
      PixelStore(std::move(pixels), static_cast<std::int64_t>(data.facts.size()), all.width);
}

}  // namespace

void write_packed(const fs::path& path, const DecodedData& data, const PackSettings& settings) {
  at_path(path, [&] {
    const std::string table = table_json(data, settings);
    const PixelView& view = data.pixels.view();
    PixelFileWriter writer(path, PixelFileKind::pack, settings.size);
    writer.write({view.data, static_cast<std::size_t>(view.count * view.height * view.width * 3)});
    writer.commit(table);
  });
}

PackedData load_packed(const fs::path& path, bool verify) {
  return at_path(path, [&] {
    const PixelFile file = open_pixel_file(path, PixelFileKind::pack, verify);
    PackedData data;
    const json object = parse_object(file.json);
    read_table(object, data);
    if (static_cast<std::int64_t>(data.table.samples.size()) != file.pixels.count)
      damaged(
          fmt::format("{} images and {} samples", file.pixels.count, data.table.samples.size()));
    data.settings = read_settings(object, file.pixels.width);
    data.pixels = PixelStore(file.mapping, file.pixels);
    return data;
  });
}

DecodedData decode_packed(const config::DataConfig& config, bool verify) {
  return at_path(config.root, [&] {
    PackedData packed = load_packed(config.root, verify);
    check_settings(packed.settings, config);
    apply_classes(packed.table, config);
    DecodedData data;
    data.table = std::move(packed.table);
    data.facts = std::move(packed.facts);
    data.pixels = std::move(packed.pixels);
    data.from_cache = true;
    select_magnifications(data, config.magnifications);
    return data;
  });
}

}  // namespace bcx::data
