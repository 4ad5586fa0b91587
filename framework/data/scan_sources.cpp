#include "data/scan_sources.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <string_view>
#include <unordered_set>

#include "base/error.h"
#include "base/text.h"
#include "data/breakhis.h"
#include "data/mistakes.h"
#include "data/sample.h"

namespace bcx::data {
namespace {

namespace fs = std::filesystem;

std::string_view class_of(const BreakHisName& name) {
  return name.malignant ? "malignant" : "benign";
}

// Why the folders around a file contradict its name; "" when they do not.
std::string contradiction(const BreakHisName& name, const std::vector<std::string>& folders) {
  for (const auto& folder : folders) {
    if (folder == (name.malignant ? "benign" : "malignant")) {
      return fmt::format("lies under {}, but its name says {}", folder, class_of(name));
    }
    if (folder.starts_with("SOB_") && folder != name.patient()) {
      return fmt::format("lies under {}, but its name says {}", printable(folder), name.patient());
    }
  }
  return {};
}

FoundSample breakhis_sample(std::string relative, const BreakHisName& name) {
  return {std::move(relative),
          std::string(class_of(name)),
          {name.case_id(), name.slide(), name.patient(), name.magnification, name.type, name.year}};
}

std::optional<Part> part_of_folder(std::string_view folder) {
  if (folder == "train") return Part::train;
  if (folder == "validation" || folder == "val" || folder == "valid") return Part::validation;
  if (folder == "test") return Part::test;
  return std::nullopt;
}

// Adds what lies in `below`/<class>/ for each class folder.
void add_class_folders(Found& found, const std::string& below,
                       const std::vector<std::string>& attributes) {
  for (const auto& name : list_folders(found.root, below)) {
    const std::string folder = below + name + "/";
    found.classes.emplace(name, found.root / below / name);
    for (auto& image : list_tree(found.root, folder).images) {
      found.samples.push_back({std::move(image), name, attributes});
    }
  }
}

}  // namespace

Found find_breakhis(const fs::path& root) {
  Found found{
      resolved_root(root), {"case", "slide", "patient", "magnification", "type", "year"}, {}, {}};
  Mistakes mistakes;
  std::unordered_set<std::string> seen;
  auto images = list_tree(found.root, "").images;
  std::sort(images.begin(), images.end());  // mistakes in a fixed order
  for (auto& relative : images) {
    auto folders = split(relative, '/');
    const std::string file = folders.back();
    folders.pop_back();
    const auto name = parse_breakhis_name(file);
    if (!name) {
      mistakes.add({"not a BreakHis file name", printable((found.root / relative).string()),
                    "expected the like of SOB_B_A-14-22549AB-100-001.png: move the file out of "
                    "the data folder, or use data.source = \"folders\""});
    } else if (const auto why = contradiction(*name, folders); !why.empty()) {
      mistakes.add(
          {why, printable((found.root / relative).string()), "move it to where it belongs"});
    } else if (!seen.insert(file).second) {
      mistakes.add({"a second file of this name", printable((found.root / relative).string()),
                    "keep one copy of the data set below data.root"});
    } else {
      found.samples.push_back(breakhis_sample(std::move(relative), *name));
    }
  }
  mistakes.throw_if_any();
  for (const auto& sample : found.samples) found.classes.emplace(sample.label, found.root);
  return found;
}

Found find_in_folders(const fs::path& root) {
  Found found{resolved_root(root), {}, {}, {}};
  bool fixed = false;
  const auto folders = list_folders(found.root, "");
  for (const auto& folder : folders) fixed = fixed || part_of_folder(folder);
  if (!fixed) {
    add_class_folders(found, "", {});
    return found;
  }
  found.attribute_names = {"part"};
  for (const auto& folder : folders) {
    if (const auto part = part_of_folder(folder)) {
      add_class_folders(found, folder + "/", {std::string(name_of(*part))});
    }
  }
  return found;
}

}  // namespace bcx::data
