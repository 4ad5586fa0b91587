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
#include "base/signals.h"

namespace bcx::data {
namespace {

// Shared by the threads of one stretch.
class Crew {
 public:
  Crew(std::span<const Sample> samples, const DecodeJob& job, std::span<std::uint8_t> pixels,
       std::span<ImageFacts> facts)
      : samples_(samples), job_(job), pixels_(pixels), facts_(facts) {
    const auto most = static_cast<std::int64_t>(samples.size());
    const std::int64_t threads =
        std::clamp<std::int64_t>(job.workers, 1, std::max<std::int64_t>(most, 1));
    running_ = threads;
    for (std::int64_t i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
  }

  void wait(const std::function<void(std::int64_t)>& tick) {
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
    throw_if_stopped("decoding images");
    if (tick) tick(done_.load());
  }

 private:
  void work() {
    try {
      const std::size_t bytes = job_.image_bytes();
      for (std::size_t i = next_++; i < samples_.size() && !stop_requested(); i = next_++) {
        facts_[i] = decode_one(samples_[i], job_, pixels_.subspan(i * bytes, bytes));
        ++done_;
      }
    } catch (...) {
      const std::lock_guard lock(mutex_);
      if (!failure_) failure_ = std::current_exception();
      next_ = samples_.size();
    }
    const std::lock_guard lock(mutex_);
    if (--running_ == 0) finished_.notify_one();
  }

  std::span<const Sample> samples_;
  const DecodeJob& job_;
  std::span<std::uint8_t> pixels_;
  std::span<ImageFacts> facts_;
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
    if (job.preprocess.apply) job.preprocess.apply(square);
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

void decode_stretch(std::span<const Sample> samples, const DecodeJob& job,
                    std::span<std::uint8_t> pixels, std::span<ImageFacts> facts,
                    const std::function<void(std::int64_t)>& tick) {
  Crew(samples, job, pixels, facts).wait(tick);
}

}  // namespace bcx::data
