#include "data/listing.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string_view>

#include "base/hash.h"
#include "base/paths.h"
#include "base/text.h"
#include "data/breakhis.h"
#include "data/mistakes.h"

namespace bcx::data {
namespace {

constexpr std::uintmax_t max_bytes = 64u << 20;  // about a million lines

Sample sample_of(const BreakHisName& name) {
  Sample sample;
  sample.relative = name.relative_path();
  sample.id = stable_hash(sample.relative);
  sample.label = name.malignant ? 1 : 0;
  sample.attributes = {name.case_id(),     name.slide(), name.patient(),
                       name.magnification, name.type,    name.year};
  return sample;
}

}  // namespace

Listing read_breakhis_listing(const std::filesystem::path& file) {
  Listing listing;
  listing.table.classes = {"benign", "malignant"};
  listing.table.attribute_names = {"case", "slide", "patient", "magnification", "type", "year"};
  Mistakes mistakes;
  std::set<std::string> seen;
  std::size_t number = 0;
  for (const auto& line : split(read_text(file, max_bytes, ExitCode::data), '\n')) {
    ++number;
    const auto text = trim(line);
    if (text.empty()) continue;
    const auto place = fmt::format("{}:{}", printable(file.string()), number);
    const auto fold = parse_breakhis_fold_line(text);
    const std::string path(fold ? std::string_view(fold->file_name) : text);
    const auto name = parse_breakhis_name(std::string_view(path).substr(path.rfind('/') + 1));
    if (!name) {
      mistakes.add(
          {"not a BreakHis file name", place,
           "expected the like of SOB_B_A-14-22549AB-100-001.png, or a line of a fold file"});
    } else if (!seen.insert(name->file_name()).second) {
      mistakes.add({name->file_name() + " is listed twice", place, ""});
    } else {
      listing.says_parts = listing.says_parts || fold;
      listing.table.samples.push_back(sample_of(*name));
    }
  }
  mistakes.throw_if_any();
  if (listing.table.samples.empty())
    throw Error(ExitCode::data, {"lists no image", printable(file.string()), ""});
  std::sort(listing.table.samples.begin(), listing.table.samples.end(),
            [](const Sample& a, const Sample& b) { return a.relative < b.relative; });
  return listing;
}

}  // namespace bcx::data
