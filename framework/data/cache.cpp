#include "data/cache.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <chrono>

#include "base/error.h"
#include "base/hash.h"
#include "base/text.h"
#include "data/facts_json.h"
#include "data/pixel_file.h"

namespace bcx::data {
namespace {

namespace fs = std::filesystem;

// Raise it when a rule of images.h or resize.h, or a fact, changes.
constexpr int rules_version = 1;
constexpr const char* extension = ".bcxpix";

struct Candidate {
  fs::path path;
  fs::file_time_type used;
  std::uint64_t bytes;
};

bool is_dead_temporary(const fs::directory_entry& entry) {
  const std::string name = entry.path().filename().string();
  return name.starts_with(".") && name.ends_with(".tmp") &&
         name.find(extension) != std::string::npos &&
         fs::file_time_type::clock::now() - entry.last_write_time() > std::chrono::hours(24);
}

void trim(const fs::path& folder, std::uint64_t bytes, const fs::path& keep) {
  std::vector<Candidate> files;
  std::uint64_t total = 0;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (!entry.is_regular_file() || entry.is_symlink()) continue;
    if (is_dead_temporary(entry)) fs::remove(entry.path());
    if (entry.path().extension() != extension) continue;
    total += entry.file_size();
    if (entry.path() != keep)
      files.push_back({entry.path(), entry.last_write_time(), entry.file_size()});
  }
  std::sort(files.begin(), files.end(),
            [](const Candidate& a, const Candidate& b) { return a.used < b.used; });
  for (const Candidate& file : files) {
    if (total <= bytes) return;
    fs::remove(file.path);
    total -= file.bytes;
  }
}

}  // namespace

std::string cache_key(const SampleTable& table, const std::string& settings) {
  Sha256 sum;
  sum.update(
      fmt::format("bcx images {}, OpenCV {}\n{}\n", rules_version, BCX_OPENCV_VERSION, settings));
  for (const Sample& sample : table.samples) {
    struct stat status {};
    const bool there = stat(sample.path.c_str(), &status) == 0;
    // The name's length stands before it: no two lists of files make the same text.
    sum.update(fmt::format("{}:{} {} {}.{:09}\n", sample.path.native().size(), sample.path.native(),
                           there ? status.st_size : -1, status.st_mtim.tv_sec,
                           status.st_mtim.tv_nsec));
  }
  return sum.hex();
}

fs::path cache_path(const fs::path& folder, const std::string& key) {
  return folder / (key.substr(0, 32) + extension);
}

std::string content_to_json(const CacheContent& content) {
  nlohmann::json json = {{"kept", content.kept},
                         {"facts", nlohmann::json::array()},
                         {"problems", nlohmann::json::array()}};
  for (const auto& facts : content.facts) json["facts"].push_back(facts_to_json(facts));
  for (const auto& [index, why] : content.problems)
    json["problems"].push_back(nlohmann::json::object({{"sample", index}, {"why", why}}));
  return dump(json);
}

CacheContent content_from_json(std::string_view text, std::size_t samples) {
  const auto json = parse_object(text);
  CacheContent content;
  std::vector<bool> seen(samples, false);
  const auto take = [&](std::size_t index) {
    if (index >= samples || seen[index])
      throw Error(ExitCode::data, "is damaged: its table does not fit the data set");
    seen[index] = true;
    return index;
  };
  for (const auto& index : array_field(json, "kept"))
    content.kept.push_back(take(index.is_number_unsigned() ? index.get<std::size_t>() : samples));
  for (const auto& facts : array_field(json, "facts"))
    content.facts.push_back(facts_from_json(facts));
  for (const auto& problem : array_field(json, "problems")) {
    const auto index = count_field(problem, "sample", static_cast<std::int64_t>(samples));
    content.problems.emplace_back(take(static_cast<std::size_t>(index)),
                                  text_field(problem, "why"));
  }
  if (content.kept.size() + content.problems.size() != samples ||
      content.facts.size() != content.kept.size() ||
      !std::is_sorted(content.kept.begin(), content.kept.end()))
    throw Error(ExitCode::data, "is damaged: its table does not fit the data set");
  return content;
}

std::optional<CacheHit> open_cache(const fs::path& path, std::size_t samples, std::int64_t size,
                                   const std::function<void(const std::string&)>& warn) {
  std::error_code ignored;
  if (!fs::exists(path, ignored)) return std::nullopt;
  try {
    const PixelFile file = open_pixel_file(path, PixelFileKind::cache, /*verify=*/true);
    CacheHit hit{content_from_json(file.json, samples), PixelStore(file.mapping, file.pixels)};
    if (file.pixels.width != size ||
        file.pixels.count != static_cast<std::int64_t>(hit.content.kept.size()))
      throw Error(ExitCode::data, "is damaged: its sizes do not agree");
    fs::last_write_time(path, fs::file_time_type::clock::now(), ignored);
    return hit;
  } catch (const Error& error) {
    const auto& parts = error.parts();
    if (warn)
      warn(fmt::format("the image cache {} {}; the images are decoded again",
                       printable(path.string()), parts.what));
    return std::nullopt;
  }
}

void trim_cache(const fs::path& folder, std::uint64_t bytes, const fs::path& keep) noexcept {
  try {
    trim(folder, bytes, keep);
  } catch (const std::exception&) {
    // Another process may have removed a file in between; the next start trims again.
  }
}

}  // namespace bcx::data
