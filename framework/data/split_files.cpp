#include "data/split_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <unordered_map>

#include "base/paths.h"
#include "base/text.h"
#include "data/breakhis.h"
#include "data/mistakes.h"

namespace bcx::data {
namespace {

constexpr std::uintmax_t max_bytes = 64u << 20;  // about a million lines

std::string_view base_name(std::string_view relative) {
  return relative.substr(relative.rfind('/') + 1);  // npos + 1 is 0
}

class Reader {
 public:
  Reader(const std::filesystem::path& file, const SampleTable& table)
      : name_(printable(file.string())) {
    out_.parts.assign(table.samples.size(), Part::unused);
    for (std::size_t i = 0; i < table.samples.size(); ++i) {
      indexes_.emplace(base_name(table.samples[i].relative), i);
    }
  }

  void line(std::string_view text, std::size_t number) {
    if (trim(text).empty()) return;
    ++lines_;
    const auto parsed = parse_breakhis_fold_line(text);
    if (!parsed) {
      return bad(number, "not a line of a fold file",
                 "expected the like of SOB_B_A-14-22549AB-100-001.png|100|1|train");
    }
    if (fold_ == 0) fold_ = parsed->fold;
    if (parsed->fold != fold_) {
      return bad(number, fmt::format("fold {} in a file of fold {}", parsed->fold, fold_),
                 "one file holds one fold");
    }
    const Part part = parsed->train ? Part::train : Part::test;
    const auto [seen, fresh] = said_.emplace(parsed->file_name, part);
    if (!fresh && seen->second != part) {
      return bad(number, parsed->file_name + " is named for train and for test", "");
    }
    const auto found = indexes_.find(parsed->file_name);
    if (found == indexes_.end()) {
      ++unknown_;
    } else {
      out_.parts[found->second] = part;
    }
  }

  FilePartition finish() {
    mistakes_.throw_if_any();
    for (const Part part : {Part::train, Part::test}) {
      if (std::count(out_.parts.begin(), out_.parts.end(), part) > 0) continue;
      throw Error(ExitCode::data, {fmt::format("names none of these images for {}", name_of(part)),
                                   name_, "check data.root and data.magnifications"});
    }
    if (unknown_ > 0) {
      out_.warnings.push_back(fmt::format("{}: {} of its {} images are not in this data", name_,
                                          grouped(unknown_), grouped(lines_)));
    }
    const auto unused = std::count(out_.parts.begin(), out_.parts.end(), Part::unused);
    if (unused > 0) {
      out_.warnings.push_back(fmt::format("{}: does not name {} of the images, which stay unused",
                                          name_, grouped(unused)));
    }
    return std::move(out_);
  }

 private:
  void bad(std::size_t number, std::string what, std::string remedy) {
    mistakes_.add({std::move(what), fmt::format("{}:{}", name_, number), std::move(remedy)});
  }

  std::string name_;
  std::unordered_map<std::string_view, std::size_t> indexes_;
  std::unordered_map<std::string, Part> said_;
  FilePartition out_;
  Mistakes mistakes_;
  int fold_ = 0;
  std::int64_t unknown_ = 0, lines_ = 0;
};

}  // namespace

FilePartition read_fold_file(const std::filesystem::path& file, const SampleTable& table) {
  const std::string text = read_text(file, max_bytes, ExitCode::data);
  Reader reader(file, table);
  std::size_t number = 0;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find('\n', at), text.size());
    reader.line(std::string_view(text).substr(at, end - at), ++number);
    at = end + 1;
  }
  return reader.finish();
}

}  // namespace bcx::data
