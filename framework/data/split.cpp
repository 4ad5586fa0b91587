#include "data/split.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "base/error.h"
#include "base/hash.h"
#include "base/text.h"
#include "data/overlap.h"
#include "data/scan.h"
#include "data/split_deal.h"
#include "data/split_files.h"
#include "data/split_groups.h"

namespace bcx::data {
namespace {

[[noreturn]] void fail(ExitCode code, std::string what, std::string where,
                       std::string remedy = {}) {
  throw Error(code, {std::move(what), std::move(where), std::move(remedy)});
}

class Splitter {
 public:
  Splitter(const SampleTable& table, const config::SplitConfig& config, std::string attribute)
      : table_(table),
        config_(config),
        grouping_(group_samples(table, attribute)),
        parts(table.samples.size(), Part::train) {
    out.group = std::move(attribute);
    out.method = config.method;
    out.fold = config.fold;
  }

  void run() {
    if (table_.attribute("part")) return fixed();
    if (config_.method == "holdout") return holdout();
    if (config_.method == "kfold" || config_.method == "repeated") return kfold();
    if (config_.method == "leave_one_group_out") return leave_one_group_out();
    return files();
  }

 private:
  // Deals the groups of the samples that are now in train into `into`, with these shares.
  void deal_train(const std::vector<double>& shares, const std::vector<Part>& into,
                  const DealKey& key) {
    const auto bins = deal_bins(shares, key);
    for (std::size_t i = 0; i < parts.size(); ++i) {
      if (parts[i] != Part::train) continue;
      parts[i] = into[static_cast<std::size_t>(bins[grouping_.of[i]])];
    }
  }

  // A bin for every group with samples in train (-1 for others).
  std::vector<int> deal_bins(const std::vector<double>& shares, const DealKey& key) const {
    std::vector<std::map<int, std::int64_t>> counts(grouping_.count);
    for (std::size_t i = 0; i < parts.size(); ++i) {
      if (parts[i] != Part::train) continue;
      ++counts[grouping_.of[i]][config_.stratify ? table_.samples[i].label : 0];
    }
    std::vector<GroupCounts> groups;
    std::vector<std::size_t> numbers;
    for (std::size_t g = 0; g < counts.size(); ++g) {
      if (counts[g].empty()) continue;
      groups.emplace_back(counts[g].begin(), counts[g].end());
      numbers.push_back(g);
    }
    const int classes = config_.stratify ? static_cast<int>(table_.classes.size()) : 1;
    const auto dealt = deal(groups, classes, shares, key);
    std::vector<int> bins(grouping_.count, -1);
    for (std::size_t i = 0; i < dealt.size(); ++i) bins[numbers[i]] = dealt[i];
    return bins;
  }

  void draw_validation(std::uint64_t epoch) {
    const double share = config_.validation;
    if (share <= 0) return;
    deal_train({1 - share, share}, {Part::train, Part::validation},
               {config_.seed, "split.validation", epoch});
  }

  void holdout() {
    std::vector<double> shares{1 - config_.validation - config_.test};
    std::vector<Part> into{Part::train};
    if (shares[0] <= 0) {
      fail(ExitCode::usage,
           fmt::format("validation {} and test {} leave nothing to train on",
                       shortest(config_.validation), shortest(config_.test)),
           "data.split", "their sum must be below 1");
    }
    for (const auto& [share, part] :
         {std::pair{config_.validation, Part::validation}, std::pair{config_.test, Part::test}}) {
      if (share <= 0) continue;
      shares.push_back(share);
      into.push_back(part);
    }
    deal_train(shares, into, {config_.seed, "split", 0});
  }

  void kfold() {
    refuse_few_groups();
    const auto folds = config_.folds;
    const auto repeat = static_cast<std::uint64_t>(config_.fold / folds);
    const auto bins = deal_bins(
        std::vector<double>(static_cast<std::size_t>(folds), 1.0 / static_cast<double>(folds)),
        {config_.seed, "split", repeat});
    for (std::size_t i = 0; i < parts.size(); ++i) {
      if (bins[grouping_.of[i]] == config_.fold % folds) parts[i] = Part::test;
    }
    draw_validation(static_cast<std::uint64_t>(config_.fold));
  }

  // Every fold needs a group to test on, and with `stratify` one of each class.
  void refuse_few_groups() const {
    const std::string units = out.group.empty() ? "images" : "groups by \"" + out.group + "\"";
    const auto folds = static_cast<std::size_t>(config_.folds);
    std::vector<std::set<std::size_t>> groups(table_.classes.size());
    for (std::size_t i = 0; i < parts.size(); ++i) {
      groups[static_cast<std::size_t>(table_.samples[i].label)].insert(grouping_.of[i]);
    }
    for (std::size_t k = 0; config_.stratify && k < groups.size(); ++k) {
      if (groups[k].size() >= folds) continue;
      fail(ExitCode::data,
           fmt::format("class \"{}\" has {} {}, too few for {} folds", printable(table_.classes[k]),
                       groups[k].size(), printable(units), folds),
           "data.split.folds",
           groups[k].size() < 2 ? "use method = \"holdout\", or stratify = false"
                                : fmt::format("use at most {}", groups[k].size()));
    }
    if (grouping_.count < folds) {
      fail(ExitCode::data,
           fmt::format("{} {}, too few for {} folds", grouping_.count, units, folds),
           "data.split.folds", fmt::format("use at most {}", grouping_.count));
    }
  }

  void leave_one_group_out() {
    for (std::size_t i = 0; i < parts.size(); ++i) {
      if (grouping_.of[i] == static_cast<std::size_t>(config_.fold)) parts[i] = Part::test;
    }
    draw_validation(static_cast<std::uint64_t>(config_.fold));
  }

  void files() {
    auto partition = read_fold_file(config_.files[static_cast<std::size_t>(config_.fold)], table_);
    parts = std::move(partition.parts);
    out.warnings = std::move(partition.warnings);
    draw_validation(static_cast<std::uint64_t>(config_.fold));
  }

  void fixed() {
    if (config_.method != "holdout") {
      fail(ExitCode::usage,
           fmt::format("the data says its own parts, which method \"{}\" would overrule",
                       printable(config_.method)),
           "data.split.method", "use method = \"holdout\", or give the data without parts");
    }
    out.method = "fixed";
    const auto column = *table_.attribute("part");
    for (std::size_t i = 0; i < parts.size(); ++i) {
      const auto& said = table_.samples[i].attributes[column];
      for (const Part part : {Part::train, Part::validation, Part::test, Part::unused}) {
        if (said == name_of(part)) parts[i] = part;
      }
    }
    if (std::count(parts.begin(), parts.end(), Part::train) == 0) {
      fail(ExitCode::data, "the data's own parts leave nothing to train on", "data.root",
           "add a train folder, or rows with part = train");
    }
    if (std::count(parts.begin(), parts.end(), Part::validation) == 0) draw_validation(0);
  }

  const SampleTable& table_;
  const config::SplitConfig& config_;
  Grouping grouping_;

 public:
  std::vector<Part> parts;
  Split out;
};

void count(Split& split, const SampleTable& table, const Grouping& grouping) {
  split.images.assign(table.classes.size(), {0, 0, 0, 0});
  std::vector<std::tuple<std::size_t, std::size_t, std::size_t>> seen;  // class, part, group
  seen.reserve(table.samples.size());
  for (std::size_t i = 0; i < table.samples.size(); ++i) {
    const auto label = static_cast<std::size_t>(table.samples[i].label);
    const auto part = static_cast<std::size_t>(split.parts[i]);
    ++split.images[label][part];
    seen.emplace_back(label, part, grouping.of[i]);
  }
  std::sort(seen.begin(), seen.end());
  seen.erase(std::unique(seen.begin(), seen.end()), seen.end());
  split.groups.assign(table.classes.size(), {0, 0, 0, 0});
  for (const auto& [label, part, group] : seen) ++split.groups[label][part];
}

std::string missing_class(const Split& split, const SampleTable& table, std::size_t k, Part part) {
  const auto& row = split.groups[k];
  return fmt::format(
      "no image of class \"{}\" in {}: it has {} {}", printable(table.classes[k]), name_of(part),
      row[0] + row[1] + row[2],
      split.group.empty() ? "images" : "groups by \"" + printable(split.group) + "\"");
}

void warn_of_missing_classes(Split& split, const SampleTable& table) {
  constexpr std::size_t most_named = 5;
  for (const Part part : {Part::train, Part::validation, Part::test}) {
    const auto column = static_cast<std::size_t>(part);
    const auto has = [&](const auto& row) { return row[column] > 0; };
    if (std::none_of(split.images.begin(), split.images.end(), has)) continue;
    std::vector<std::size_t> missing;
    for (std::size_t k = 0; k < table.classes.size(); ++k)
      if (split.images[k][column] == 0) missing.push_back(k);
    for (std::size_t i = 0; i < std::min(missing.size(), most_named); ++i)
      split.warnings.push_back(missing_class(split, table, missing[i], part));
    if (missing.size() > most_named)
      split.warnings.push_back(
          fmt::format("nor of {} more of the {} classes in {}",
                      grouped(std::ssize(missing) - static_cast<std::int64_t>(most_named)),
                      grouped(std::ssize(table.classes)), name_of(part)));
  }
}

std::string hash_of(const Split& split, const SampleTable& table) {
  Sha256 hash;
  for (std::size_t i = 0; i < table.samples.size(); ++i) {
    hash.update(table.samples[i].relative);
    hash.update(std::string_view("\0", 1));
    hash.update(name_of(split.parts[i]));
    hash.update("\n");
  }
  return hash.hex();
}

void stamp(Split& split, const SampleTable& table, std::string_view patient) {
  const auto keys = group_keys(table, patient, split.group);
  if (keys.empty()) split.stamps.push_back("UNGROUPED");
  const bool leaky = std::any_of(keys.begin(), keys.end(), [&](const std::string& key) {
    return !overlaps(table, split.parts, *table.attribute(key)).empty();
  });
  if (leaky) split.stamps.push_back("LEAKY");
}

void check_method(const config::SplitConfig& config) {
  const std::vector<std::string> known{"holdout", "kfold", "repeated", "leave_one_group_out",
                                       "files"};
  if (std::find(known.begin(), known.end(), config.method) == known.end()) {
    fail(ExitCode::usage, fmt::format("no split method \"{}\"", printable(config.method)),
         "data.split.method", "use one of " + join(known, ", "));
  }
  if (config.folds < 2 || config.repeats < 1) {
    fail(ExitCode::usage, "fewer than two folds, or no repeat", "data.split.folds",
         "use folds of at least 2 and repeats of at least 1");
  }
}

}  // namespace

std::vector<std::int64_t> Split::indexes(Part part) const {
  std::vector<std::int64_t> found;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (parts[i] == part) found.push_back(static_cast<std::int64_t>(i));
  }
  return found;
}

bool Split::has_stamp(std::string_view stamp) const {
  return std::find(stamps.begin(), stamps.end(), stamp) != stamps.end();
}

std::string group_attribute(const SampleTable& table, const config::SplitConfig& config) {
  const bool said = config.by_given || config.by != config::SplitConfig().by;
  if (said && config.by == "image") return {};
  if (said) {
    if (table.attribute(config.by)) return config.by;
    std::vector<std::string> names = table.attribute_names;
    names.push_back("image");
    const auto guess = did_you_mean(config.by, names);
    fail(ExitCode::data, fmt::format("these images have no attribute \"{}\"", printable(config.by)),
         "data.split.by", guess.empty() ? "there are: " + printable(join(names, ", ")) : guess);
  }
  const auto keys = group_keys(table);
  if (!keys.empty()) return keys.front();
  fail(ExitCode::data, "nothing says which images belong to one patient", "data.split.by",
       "name the patient with data.pattern = \"(?<case>...)\" or a manifest's group column, or "
       "say by = \"image\" (the run is then stamped UNGROUPED)");
}

std::int64_t number_of_folds(const SampleTable& table, const config::SplitConfig& config) {
  if (config.method == "kfold") return config.folds;
  if (config.method == "repeated") return config.folds * config.repeats;
  if (config.method == "files") return static_cast<std::int64_t>(config.files.size());
  if (config.method != "leave_one_group_out") return 1;
  return static_cast<std::int64_t>(group_samples(table, group_attribute(table, config)).count);
}

Split make_split(const SampleTable& table, const config::SplitConfig& config,
                 std::string_view patient) {
  check_method(config);
  const auto folds = number_of_folds(table, config);
  if (config.method == "files" && config.files.empty()) {
    fail(ExitCode::usage, "method \"files\" without a file", "data.split.files",
         "name the published fold files: files = [\"dsfold1.txt\"]");
  }
  if (config.fold < 0 || config.fold >= folds) {
    fail(ExitCode::usage,
         folds == 1 ? fmt::format("there is no fold {}: method \"{}\" makes one split", config.fold,
                                  printable(config.method))
                    : fmt::format("there is no fold {}", config.fold),
         "data.split.fold",
         fmt::format("use 0{}", folds == 1 ? "" : fmt::format(" to {}", folds - 1)));
  }
  Splitter splitter(table, config, group_attribute(table, config));
  splitter.run();
  Split split = std::move(splitter.out);
  split.parts = std::move(splitter.parts);
  split.folds = folds;
  count(split, table, group_samples(table, split.group));
  warn_of_missing_classes(split, table);
  stamp(split, table, patient);
  split.hash = hash_of(split, table);
  return split;
}

Split test_split(const SampleTable& table, std::string_view patient) {
  Split split;
  split.method = "external";
  split.parts.assign(table.samples.size(), Part::test);
  const auto keys = group_keys(table, patient);
  if (table.attribute(patient))
    split.group = patient;
  else if (!keys.empty())
    split.group = keys.front();
  count(split, table, group_samples(table, split.group));
  warn_of_missing_classes(split, table);
  stamp(split, table, patient);
  split.hash = hash_of(split, table);
  return split;
}

}  // namespace bcx::data
