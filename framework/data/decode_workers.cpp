#include "data/decode_workers.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>

#include "base/error.h"
#include "base/processors.h"
#include "base/signals.h"

namespace bcx::data {
namespace {

// The threads of one piece of work.
class Crew {
 public:
  Crew(std::size_t count, std::int64_t workers, const std::function<void(std::size_t)>& each)
      : count_(count), each_(each) {
    const auto most = static_cast<std::int64_t>(count);
    const std::int64_t threads =
        std::clamp<std::int64_t>(workers, 1, std::max<std::int64_t>(most, 1));
    running_ = threads;
    for (std::int64_t i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
  }

  void wait(const std::function<void(std::int64_t)>& tick, const char* doing) {
    std::unique_lock lock(mutex_);
    while (!finished_.wait_for(lock, std::chrono::milliseconds(100),
                               [this] { return running_ == 0; })) {
      lock.unlock();
      if (tick) tick(done_.load());
      lock.lock();
    }
    lock.unlock();
    threads_.clear();
    if (failure_) std::rethrow_exception(failure_);
    throw_if_stopped(doing);
    if (tick) tick(done_.load());
  }

 private:
  void work() {
    try {
      for (std::size_t i = next_++; i < count_ && !stop_requested(); i = next_++) {
        each_(i);
        ++done_;
      }
    } catch (...) {
      const std::lock_guard lock(mutex_);
      if (!failure_) failure_ = std::current_exception();
      next_ = count_;
    }
    const std::lock_guard lock(mutex_);
    if (--running_ == 0) finished_.notify_one();
  }

  std::size_t count_;
  const std::function<void(std::size_t)>& each_;
  std::atomic<std::size_t> next_{0};
  std::atomic<std::int64_t> done_{0};
  std::mutex mutex_;
  std::condition_variable finished_;
  std::int64_t running_ = 0;
  std::exception_ptr failure_;
  std::vector<std::jthread> threads_;  // last: joined before anything they use goes
};

std::string without_place(const Error& error) {
  const auto& [what, where, remedy] = error.parts();
  return remedy.empty() ? what : what + "; " + remedy;
}

}  // namespace

std::int64_t workers_for(std::int64_t asked) {
  return asked > 0 ? asked : usable_cores();
}

DecodeJob decode_job(const config::DataConfig& config, const DecodeOptions& options) {
  DecodeJob job;
  job.size = config.cache_size > 0 ? config.cache_size : config.image_size;
  job.rule = resize_rule(config.resize);
  job.how = interpolation(config.interpolation);
  job.limits = options.limits;
  job.preprocess = options.preprocess;
  job.workers = workers_for(config.workers);
  return job;
}

ImageFacts decode_one(const Sample& sample, const DecodeJob& job, std::span<std::uint8_t> pixels) {
  ImageFacts facts;
  try {
    const DecodedImage decoded = read_image(sample.path, job.limits);
    facts.width = static_cast<int>(decoded.stored_width);
    facts.height = static_cast<int>(decoded.stored_height);
    facts.note = decoded.note;
    facts.pixel_hash = pixel_hash(decoded.image.view());
    facts.perceptual_hash = perceptual_hash(decoded.image.view());
    Image square = resize_square(decoded.image.view(), job.size, job.rule, job.how);
    if (job.preprocess.apply) facts.unprocessed = job.preprocess.apply(square);
    if (square.rgb.size() != pixels.size())
      throw Error(ExitCode::plugin, "a preprocess component changed an image's size");
    std::copy(square.rgb.begin(), square.rgb.end(), pixels.begin());
  } catch (const Error& error) {
    if (error.code() != ExitCode::data) throw;
    facts = ImageFacts{};
    facts.problem = without_place(error);
    std::fill(pixels.begin(), pixels.end(), std::uint8_t{0});
  }
  return facts;
}

void on_threads(std::size_t count, std::int64_t workers,
                const std::function<void(std::size_t)>& work,
                const std::function<void(std::int64_t)>& tick, const char* doing) {
  Crew(count, workers, work).wait(tick, doing);
}

void decode_stretch(std::span<const Sample> samples, const DecodeJob& job,
                    std::span<std::uint8_t> pixels, std::span<ImageFacts> facts,
                    const std::function<void(std::int64_t)>& tick) {
  const std::size_t bytes = job.image_bytes();
  on_threads(
      samples.size(), job.workers,
      [&](std::size_t i) {
        facts[i] = decode_one(samples[i], job, pixels.subspan(i * bytes, bytes));
      },
      tick, "decoding images");
}

}  // namespace bcx::data
