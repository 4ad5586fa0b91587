#include "data/decode.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <optional>
#include <system_error>
#include <thread>

#include "base/error.h"
#include "base/paths.h"
#include "base/signals.h"
#include "base/text.h"
#include "base/timing.h"
#include "data/cache.h"
#include "data/decode_workers.h"
#include "data/memory.h"
#include "data/pixel_file.h"

namespace bcx::data {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

// Pixels decoded between two writes to the cache file.
constexpr std::size_t stretch_bytes = std::size_t{64} << 20;
// Unreadable images named one by one; the last line counts the rest.
constexpr std::size_t most_named = 20;

// What the kernel can give at once, less a fifth for everything else that a run needs.
void require_memory(std::int64_t images, std::int64_t size, std::size_t needed,
                    const char* remedy) {
  if (const auto available = available_memory(); needed > available / 5 * 4)
    throw Error(
        ExitCode::device,
        {fmt::format("{} images of {} x {} pixels need {}, and {} of memory are free",
                     grouped(images), size, size, human_bytes(needed), human_bytes(available)),
         {},
         remedy});
}

// Where the kept images of each stretch go: a cache file or memory.
class Sink {
 public:
  virtual ~Sink() = default;
  virtual void take(std::span<const std::uint8_t> pixels) = 0;
};

// Of processes that want the same images one decodes; the others wait and map what it made.
class DecodeLock {
 public:
  explicit DecodeLock(const fs::path& cache) : path_(cache.string() + ".lock") {
    descriptor_ = open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (descriptor_ < 0) return;  // decoded twice, then: no more than time is lost
    while (flock(descriptor_, LOCK_EX | LOCK_NB) != 0 && (errno == EWOULDBLOCK || errno == EINTR)) {
      throw_if_stopped("waiting for another process to decode the images");
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  }
  ~DecodeLock() {
    if (descriptor_ < 0) return;
    std::error_code ignored;
    fs::remove(path_, ignored);  // who waits has it open, and looks into the cache first
    close(descriptor_);
  }
  DecodeLock(const DecodeLock&) = delete;
  DecodeLock& operator=(const DecodeLock&) = delete;

 private:
  fs::path path_;
  int descriptor_;
};

class FileSink : public Sink {
 public:
  FileSink(const fs::path& path, std::int64_t size) : writer(path, PixelFileKind::cache, size) {}
  void take(std::span<const std::uint8_t> pixels) override { writer.write(pixels); }
  PixelFileWriter writer;
};

class MemorySink : public Sink {
 public:
  explicit MemorySink(std::size_t bytes) { pixels.reserve(bytes); }
  void take(std::span<const std::uint8_t> more) override {
    pixels.insert(pixels.end(), more.begin(), more.end());
  }
  std::vector<std::uint8_t> pixels;
};

// One call of decode_all().
class Decoding {
 public:
  Decoding(const SampleTable& table, const config::DataConfig& config, const DecodeOptions& options)
      : table_(table),
        config_(config),
        options_(options),
        job_(decode_job(config, options)),
        needed_(job_.image_bytes() * table.samples.size()) {}

  DecodedData run() {
    std::optional<CacheHit> hit;
    if (options_.use_cache && !table_.samples.empty()) {
      folder_ = options_.cache.empty() ? bcx::cache_folder() / "images" : options_.cache;
      path_ = cache_path(folder_, cache_key(table_, settings()));
      hit = open_cache(path_, table_.samples.size(), job_.size, options_.warn);
      if (!hit && cache_has_room()) {
        const DecodeLock lock(path_);
        hit = open_cache(path_, table_.samples.size(), job_.size, {});
        if (!hit) hit = decode_to_cache();
      }
    }
    const bool mapped = hit.has_value();
    if (!hit) hit = decode_to_memory();
    DecodedData data = result(std::move(*hit));
    data.from_cache = mapped && !decoded_;
    data.seconds = seconds_since(start_);
    return data;
  }

 private:
  void warn(const std::string& text) const {
    if (options_.warn) options_.warn(text);
  }

  // Everything but the files that the pixels, or whether there are any, depend on.
  std::string settings() const {
    const auto& limits = job_.limits;
    return fmt::format("{} {} {} {} {} {} {} {} {} {}:{}", job_.size, config_.resize,
                       config_.interpolation, config_.unreadable, options_.quarantine_share,
                       limits.min_side, limits.max_side, limits.max_pixels, limits.max_bytes,
                       job_.preprocess.state.size(), job_.preprocess.state);
  }

  bool cache_has_room() const {
    std::error_code failed;
    fs::create_directories(folder_, failed);
    if (!failed && !fs::is_directory(folder_))
      failed = std::make_error_code(std::errc::not_a_directory);
    const auto space = failed ? fs::space_info{} : fs::space(folder_, failed);
    if (failed) {
      warn(fmt::format("the image cache {} cannot be used: {}; the images stay in memory",
                       printable(folder_.string()), failed.message()));
      return false;
    }
    if (space.available / 10 * 9 > needed_) return true;
    warn(fmt::format("no room for {} of decoded images in {} ({} free); they stay in memory",
                     human_bytes(needed_), printable(folder_.string()),
                     human_bytes(space.available)));
    return false;
  }

  std::optional<CacheHit> decode_to_cache() {
    try {
      FileSink sink(path_, job_.size);
      const CacheContent content = decode_into(sink);
      sink.writer.commit(content_to_json(content));
    } catch (const Error& error) {
      if (error.code() != ExitCode::storage) throw;
      warn(fmt::format("the image cache cannot be written ({}); the images stay in memory",
                       error.what()));
      return std::nullopt;
    }
    trim_cache(folder_, options_.cache_bytes, path_);
    return open_cache(path_, table_.samples.size(), job_.size, options_.warn);
  }

  CacheHit decode_to_memory() {
    require_memory(static_cast<std::int64_t>(table_.samples.size()), job_.size, needed_,
                   "give the image cache room on disk, or lower data.cache_size");
    MemorySink sink(needed_);
    CacheContent content = decode_into(sink);
    const auto count = static_cast<std::int64_t>(content.kept.size());
    return {std::move(content), PixelStore(std::move(sink.pixels), count, job_.size)};
  }

  CacheContent decode_into(Sink& sink) {
    decoded_ = true;
    const std::size_t bytes = job_.image_bytes(), all = table_.samples.size();
    const std::size_t stretch =
        std::min(all, std::max(stretch_bytes / bytes, static_cast<std::size_t>(job_.workers) * 4));
    std::vector<std::uint8_t> pixels(stretch * bytes);
    std::vector<ImageFacts> facts(stretch);
    CacheContent content;
    for (std::size_t begin = 0; begin < all; begin += stretch) {
      const std::size_t count = std::min(stretch, all - begin);
      decode_stretch(std::span(table_.samples).subspan(begin, count), job_, pixels, facts,
                     [&](std::int64_t done) { tick(static_cast<std::int64_t>(begin) + done); });
      sink.take({pixels.data(), keep(begin, count, pixels, facts, content) * bytes});
    }
    judge(content);
    return content;
  }

  // Moves the readable images of a stretch together; returns how many there are.
  std::size_t keep(std::size_t begin, std::size_t count, std::span<std::uint8_t> pixels,
                   std::span<ImageFacts> facts, CacheContent& content) const {
    const std::size_t bytes = job_.image_bytes();
    std::size_t kept = 0;
    for (std::size_t i = 0; i < count; ++i) {
      if (!facts[i].problem.empty()) {
        content.problems.emplace_back(begin + i, facts[i].problem);
        continue;
      }
      if (kept != i)
        std::copy_n(pixels.begin() + static_cast<std::ptrdiff_t>(i * bytes), bytes,
                    pixels.begin() + static_cast<std::ptrdiff_t>(kept * bytes));
      content.kept.push_back(begin + i);
      content.facts.push_back(std::move(facts[i]));
      ++kept;
    }
    return kept;
  }

  void tick(std::int64_t done) const {
    if (options_.progress)
      options_.progress(
          {done, static_cast<std::int64_t>(table_.samples.size()), seconds_since(start_)});
  }

  // Unreadable images are an error unless they are few and the user wants them left out.
  void judge(const CacheContent& content) const {
    const std::size_t bad = content.problems.size(), all = table_.samples.size();
    const bool few =
        static_cast<double>(bad) <= options_.quarantine_share * static_cast<double>(all);
    const bool leave_out = config_.unreadable == "quarantine";
    if (bad == 0 || (leave_out && few)) return;
    std::vector<Error> errors;
    for (const auto& [index, why] : content.problems) {
      if (errors.size() == most_named) break;
      errors.push_back({ExitCode::data, {why, printable(table_.samples[index].path.string()), {}}});
    }
    const std::string more =
        bad > most_named ? fmt::format(" ({} more than are named here)", bad - most_named) : "";
    errors.push_back(
        {ExitCode::data,
         {fmt::format("{} of {} images cannot be read{}", bad, all, more),
          {},
          leave_out
              ? fmt::format("data.unreadable = \"quarantine\" leaves out at most {} % of them",
                            options_.quarantine_share * 100)
              : "repair or remove them, or leave them out with data.unreadable = \"quarantine\""}});
    throw ErrorList(std::move(errors));
  }

  DecodedData result(CacheHit hit) const {
    DecodedData data;
    data.table = table_;
    data.table.samples.clear();
    for (const std::size_t index : hit.content.kept)
      data.table.samples.push_back(table_.samples[index]);
    for (const auto& [index, why] : hit.content.problems)
      data.quarantined.push_back({table_.samples[index].relative, why});
    data.facts = std::move(hit.content.facts);
    data.pixels = std::move(hit.pixels);
    return data;
  }

  const SampleTable& table_;
  const config::DataConfig& config_;
  const DecodeOptions& options_;
  DecodeJob job_;
  fs::path folder_, path_;
  std::size_t needed_ = 0;
  bool decoded_ = false;
  Clock::time_point start_ = Clock::now();
};

}  // namespace

PixelStore::PixelStore(std::vector<std::uint8_t> pixels, std::int64_t count, std::int64_t size) {
  auto owned = std::make_shared<const std::vector<std::uint8_t>>(std::move(pixels));
  view_ = {owned->data(), count, size, size};
  owner_ = std::move(owned);
}

PixelStore::PixelStore(std::shared_ptr<const void> owner, PixelView view)
    : owner_(std::move(owner)), view_(view) {
  view_.mapped = true;
}

Image decode_square(const Sample& sample, const config::DataConfig& config,
                    const ImageLimits& limits) {
  const auto job = decode_job(config, {});
  return resize_square(read_image(sample.path, limits).image.view(), job.size, job.rule, job.how);
}

void preprocess_pixels(DecodedData& data, const PreprocessHook& hook, std::int64_t workers) {
  const PixelView view = data.pixels.view();
  const auto bytes = static_cast<std::size_t>(view.height * view.width * 3);
  require_memory(view.count, view.width, bytes * static_cast<std::size_t>(view.count),
                 "preprocessed data must fit into memory: pack them at a smaller data.cache_size");
  std::vector<std::uint8_t> pixels(bytes * static_cast<std::size_t>(view.count));
  on_threads(
      data.facts.size(), workers_for(workers),
      [&](std::size_t i) {
        Image image(view.height, view.width);
        std::copy_n(view.image(static_cast<std::int64_t>(i)), bytes, image.rgb.begin());
        data.facts[i].unprocessed = hook.apply(image);
        std::copy_n(image.rgb.begin(), bytes,
                    pixels.begin() + static_cast<std::ptrdiff_t>(i * bytes));
      },
      {}, "preprocessing images");
  data.pixels = PixelStore(std::move(pixels), view.count, view.width);
}

DecodedData decode_all(const SampleTable& table, const config::DataConfig& config,
                       const DecodeOptions& options) {
  return Decoding(table, config, options).run();
}

}  // namespace bcx::data
