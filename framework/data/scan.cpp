#include "data/scan.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <unordered_map>

#include "base/error.h"
#include "base/hash.h"
#include "base/text.h"
#include "data/manifest.h"
#include "data/mistakes.h"
#include "data/pack.h"
#include "data/scan_pattern.h"
#include "data/scan_sources.h"

namespace bcx::data {
namespace {

[[noreturn]] void fail(std::string what, const std::filesystem::path& where, std::string remedy) {
  throw Error(ExitCode::data, {std::move(what), printable(where.string()), std::move(remedy)});
}

std::string quoted_list(const std::vector<std::string>& names) {
  std::vector<std::string> quoted;
  for (const auto& name : names) quoted.push_back('"' + printable(name) + '"');
  return join(quoted, ", ");
}

Found find_in_manifest(const std::filesystem::path& root) {
  auto manifest = read_manifest(root);
  Found found{manifest.folder, std::move(manifest.attribute_names), {}, {}};
  found.samples.reserve(manifest.rows.size());
  for (auto& row : manifest.rows) {
    found.classes.emplace(row.label, manifest.file);
    found.samples.push_back(
        {std::move(row.relative), std::move(row.label), std::move(row.attributes)});
  }
  return found;
}

Found find_samples(const config::DataConfig& config) {
  if (config.source == "breakhis") return find_breakhis(config.root);
  if (config.source == "folders") return find_in_folders(config.root);
  if (config.source == "manifest") return find_in_manifest(config.root);
  throw Error(ExitCode::usage,
              {fmt::format("data.source \"{}\" cannot be scanned", printable(config.source)), "",
               "use breakhis, folders, manifest or packed"});
}

void add_pattern_attributes(Found& found, const std::string& text) {
  const NamePattern pattern(text);
  for (const auto& name : pattern.names()) {
    if (std::find(found.attribute_names.begin(), found.attribute_names.end(), name) !=
        found.attribute_names.end()) {
      throw Error(
          ExitCode::usage,
          {fmt::format("data.pattern names a group \"{}\", which the data has already", name),
           "data.pattern", "give the group another name"});
    }
    found.attribute_names.push_back(name);
  }
  Mistakes mistakes;
  for (auto& sample : found.samples) {
    if (auto values = pattern.match(sample.relative)) {
      std::move(values->begin(), values->end(), std::back_inserter(sample.attributes));
    } else {
      mistakes.add({"data.pattern does not match this name", printable(sample.relative),
                    "change the pattern, or move the file out of the data folder"});
    }
  }
  mistakes.throw_if_any();
}

void keep_magnifications(Found& found, const config::DataConfig& config) {
  const auto column =
      std::find(found.attribute_names.begin(), found.attribute_names.end(), "magnification");
  if (column == found.attribute_names.end()) {
    fail("data.magnifications is set, but these images have no attribute \"magnification\"",
         config.root, "leave data.magnifications out, or name it in data.pattern or the manifest");
  }
  const auto index = static_cast<std::size_t>(column - found.attribute_names.begin());
  std::vector<std::string> wanted;
  for (const auto value : config.magnifications) wanted.push_back(std::to_string(value));
  std::set<std::string> there;
  for (const auto& sample : found.samples) there.insert(sample.attributes[index]);
  std::erase_if(found.samples, [&](const FoundSample& sample) {
    return std::find(wanted.begin(), wanted.end(), sample.attributes[index]) == wanted.end();
  });
  if (found.samples.empty() && !there.empty()) {
    fail(fmt::format("no image has a magnification of {}", join(wanted, ", ")), config.root,
         fmt::format("there are {}", quoted_list({there.begin(), there.end()})));
  }
}

// The classes in their order: those asked for, or those found, sorted.
std::vector<std::string> class_order(const Found& found, const config::DataConfig& config) {
  std::vector<std::string> there;
  for (const auto& [name, place] : found.classes) there.push_back(name);
  std::set<std::string_view> named;
  for (const auto& name : config.classes) {
    if (!named.insert(name).second) {
      throw Error(ExitCode::usage, {fmt::format("class \"{}\" is named twice", printable(name)),
                                    "data.classes", "name each class once"});
    }
    if (found.classes.contains(name)) continue;
    const auto guess = did_you_mean(name, there);
    fail(fmt::format("no class \"{}\" (data.classes)", printable(name)), config.root,
         guess.empty() ? "there are " + quoted_list(there) : guess);
  }
  const auto& order = config.classes.empty() ? there : config.classes;
  if (order.size() < 2) {
    fail(fmt::format("one class only (\"{}\")", printable(order.at(0))), config.root,
         "a classifier needs at least two: check data.root and data.classes");
  }
  return order;
}

int positive_class(const std::vector<std::string>& classes, const config::DataConfig& config) {
  if (config.positive.empty()) return static_cast<int>(classes.size()) - 1;
  const auto found = std::find(classes.begin(), classes.end(), config.positive);
  if (found == classes.end()) {
    const auto guess = did_you_mean(config.positive, classes);
    throw Error(ExitCode::data,
                {fmt::format("no class \"{}\" (data.positive)", printable(config.positive)),
                 printable(config.root.string()),
                 guess.empty() ? "the classes are " + quoted_list(classes) : guess});
  }
  return static_cast<int>(found - classes.begin());
}

void refuse_no_images(const Found& found, const config::DataConfig& config) {
  if (!found.samples.empty() || !found.classes.empty()) return;
  const bool breakhis = config.source == "breakhis";
  fail(breakhis ? "no BreakHis images below this folder" : "no class folders with images here",
       config.root,
       breakhis ? "data.root must hold histology_slides/breast/...; `bcx data demo DIR` draws "
                  "images to try"
                : "expected <class>/*.png, or train/<class>/ and validation/<class>/ (png, jpg, "
                  "tif, bmp)");
}

void refuse_empty_classes(const SampleTable& table, const Found& found) {
  std::vector<std::int64_t> counts(table.classes.size(), 0);
  for (const auto& sample : table.samples) ++counts[static_cast<std::size_t>(sample.label)];
  Mistakes mistakes;
  for (std::size_t k = 0; k < counts.size(); ++k) {
    if (counts[k] > 0) continue;
    mistakes.add({fmt::format("class \"{}\" has no images", printable(table.classes[k])),
                  printable(found.classes.at(table.classes[k]).string()),
                  "add some (png, jpg, tif, bmp), or leave the class out with data.classes"});
  }
  mistakes.throw_if_any();
}

void refuse_equal_ids(const SampleTable& table) {
  std::vector<std::pair<std::uint64_t, std::size_t>> ids;
  ids.reserve(table.samples.size());
  for (std::size_t i = 0; i < table.samples.size(); ++i) ids.emplace_back(table.samples[i].id, i);
  std::sort(ids.begin(), ids.end());
  for (std::size_t i = 1; i < ids.size(); ++i) {
    if (ids[i].first != ids[i - 1].first) continue;
    throw Error(ExitCode::data,
                {fmt::format("two names have the same 64-bit id ({})",
                             printable(table.samples[ids[i - 1].second].relative)),
                 printable(table.samples[ids[i].second].relative), "rename one of them"});
  }
}

}  // namespace

SampleTable scan(const config::DataConfig& config) {
  if (config.source == "packed") return load_packed(config.root, false).table;
  Found found = find_samples(config);
  refuse_no_images(found, config);
  if (!config.pattern.empty()) add_pattern_attributes(found, config.pattern);
  if (!config.magnifications.empty()) keep_magnifications(found, config);

  SampleTable table;
  table.classes = class_order(found, config);
  table.positive = positive_class(table.classes, config);
  table.attribute_names = found.attribute_names;
  std::unordered_map<std::string, int> labels;
  for (std::size_t k = 0; k < table.classes.size(); ++k) {
    labels.emplace(table.classes[k], static_cast<int>(k));
  }
  table.samples.reserve(found.samples.size());
  for (auto& from : found.samples) {
    const auto label = labels.find(from.label);
    if (label == labels.end()) continue;  // data.classes leaves this class out
    table.samples.push_back({stable_hash(from.relative), from.relative, found.root / from.relative,
                             label->second, std::move(from.attributes)});
  }
  refuse_empty_classes(table, found);
  std::sort(table.samples.begin(), table.samples.end(),
            [](const Sample& a, const Sample& b) { return a.relative < b.relative; });
  refuse_equal_ids(table);
  return table;
}

std::vector<std::string> group_keys(const SampleTable& table, std::string_view patient,
                                    std::string_view by) {
  std::vector<std::string> keys;
  for (const std::string_view name :
       {std::string_view("case"), std::string_view("patient"), std::string_view("group"),
        std::string_view("slide"), patient, by}) {
    if (table.attribute(name) && std::find(keys.begin(), keys.end(), name) == keys.end()) {
      keys.emplace_back(name);
    }
  }
  return keys;
}

}  // namespace bcx::data
