// Sample tables made up for tests, and the folders behind some of them.
#pragma once

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/hash.h"
#include "base/philox.h"
#include "data/breakhis.h"
#include "data/sample.h"
#include "data/split.h"

namespace bcx::test {

inline void touch(const std::filesystem::path& file, const std::string& text = "") {
  std::filesystem::create_directories(file.parent_path());
  std::ofstream(file, std::ios::binary) << text;
}

/// The text of the bcx::Error that `work` throws; "" when it throws none.
template <typename Work>
std::string error_of(const Work& work) {
  try {
    work();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

inline data::Sample sample(const std::string& relative, int label,
                           std::vector<std::string> attributes) {
  return {stable_hash(relative), relative, {}, label, std::move(attributes)};
}

inline data::Split seeded_split(const data::SampleTable& table, config::SplitConfig config,
                                std::uint64_t seed, std::string_view patient = {}) {
  config.seed = seed;
  return data::make_split(table, config, patient);
}

/// A group of a made-up table: its images all have one label.
struct MadeGroup {
  std::string name;
  int label = 0;
  int images = 1;
};

/// A table with the attribute "case"; names sort by group.
inline data::SampleTable table_of(const std::vector<MadeGroup>& groups, int classes = 2) {
  data::SampleTable table;
  for (int k = 0; k < classes; ++k) table.classes.push_back(fmt::format("class{}", k));
  table.positive = classes - 1;
  table.attribute_names = {"case"};
  for (const auto& group : groups) {
    for (int i = 0; i < group.images; ++i) {
      table.samples.push_back(
          sample(fmt::format("{}/{:04}.png", group.name, i), group.label, {group.name}));
    }
  }
  return table;
}

/// 5 .. 44 groups of 1 .. 40 images in two or three classes, some groups of two classes.
inline data::SampleTable random_table(std::uint64_t seed) {
  const Stream stream(seed, "test-table");
  const int classes = 2 + static_cast<int>(stream.below(0, 2));
  const auto groups = 5 * classes + static_cast<int>(stream.below(1, 35));
  std::vector<MadeGroup> made;
  for (int g = 0; g < groups; ++g) {
    const auto at = static_cast<std::uint64_t>(10 + 3 * g);
    const int label = g < 5 * classes
                          ? g % classes
                          : static_cast<int>(stream.below(at, static_cast<std::uint64_t>(classes)));
    made.push_back(
        {fmt::format("g{:03}", g), label, 1 + static_cast<int>(stream.below(at + 1, 40))});
  }
  auto table = table_of(made, classes);
  for (std::size_t i = 0; i < table.samples.size(); i += 17) {
    table.samples[i].label =
        static_cast<int>(stream.below(1000 + i, static_cast<std::uint64_t>(classes)));
  }
  return table;
}

inline data::BreakHisName breakhis_name(bool malignant, std::string type, std::string number,
                                        std::string letters, int sequence = 1,
                                        std::string magnification = "100") {
  return {malignant,
          std::move(type),
          "14",
          std::move(number),
          std::move(letters),
          std::move(magnification),
          fmt::format("{:03}", sequence)};
}

/// The 22 folders of BreakHis that share ten case numbers cannot all be told from its paper; this
/// stands in for the data set's 82 folders with the same counts: 81 slides and 70 cases, where
/// 14-13412 lies under both DC and LC, and ten case numbers cover 22 folders.
inline std::vector<data::BreakHisName> breakhis_folders() {
  std::vector<data::BreakHisName> folders{
      breakhis_name(true, "DC", "13412", ""),    breakhis_name(true, "LC", "13412", ""),
      breakhis_name(false, "A", "22549", "AB"),  breakhis_name(false, "A", "22549", "CD"),
      breakhis_name(false, "A", "22549", "G"),   breakhis_name(false, "F", "21998", "CD"),
      breakhis_name(false, "PT", "21998", "AB"), breakhis_name(false, "A", "29960", "CD"),
      breakhis_name(false, "F", "29960", "AB")};
  // Four cases cover nine folders so far; one of three and five of two make it 22 in ten.
  for (const char* letters : {"A", "B", "C"})
    folders.push_back(breakhis_name(true, "DC", "40000", letters));
  for (int i = 1; i <= 5; ++i) {
    for (const char* letters : {"A", "B"}) {
      folders.push_back(breakhis_name(true, "MC", std::to_string(40000 + i), letters));
    }
  }
  const int benign = 24 - 7, malignant = 58 - 15;
  for (int i = 0; i < benign; ++i)
    folders.push_back(breakhis_name(false, "TA", std::to_string(50000 + i), ""));
  for (int i = 0; i < malignant; ++i) {
    folders.push_back(breakhis_name(true, "PC", std::to_string(60000 + i), ""));
  }
  return folders;
}

}  // namespace bcx::test
