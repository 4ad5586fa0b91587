#include "engine/predict.h"

#include <chrono>
#include <future>
#include <numeric>

#include "base/signals.h"
#include "data/decode_workers.h"
#include "engine/trained_model.h"

namespace bcx::engine {
namespace {

/// Decoded pictures of one stretch at a time: memory is two of them, however many images there are.
constexpr std::size_t stretch_bytes = std::size_t{32} << 20;

struct Stretch {
  std::size_t begin = 0;
  std::vector<std::uint8_t> pixels;
  std::vector<data::ImageFacts> facts;
};

data::DecodeJob job_of(const config::Experiment& experiment, const LoadedModels& models) {
  data::DecodeOptions options;
  options.preprocess = models.preprocess();
  return data::decode_job(experiment.data, options);
}

/// Stretches in turn, the next one being decoded while one is worked on.
class Decoder {
 public:
  Decoder(std::span<const data::Sample> images, const config::Experiment& experiment,
          const LoadedModels& models)
      : images_(images), job_(job_of(experiment, models)) {
    // Whole batches, so that a picture meets the batch size that the run had.
    const auto batch = static_cast<std::size_t>(models.batch_size());
    stretch_ = std::max<std::size_t>(1, stretch_bytes / job_.image_bytes() / batch) * batch;
    begin(0);
  }

  bool more() const { return next_.valid(); }
  Stretch next() {
    Stretch stretch = next_.get();
    begin(stretch.begin + stretch.facts.size());
    return stretch;
  }
  std::int64_t size() const { return job_.size; }

 private:
  void begin(std::size_t from) {
    if (from >= images_.size()) return;
    next_ = std::async(std::launch::async, [this, from] {
      const auto count = std::min(stretch_, images_.size() - from);
      Stretch stretch{from, std::vector<std::uint8_t>(count * job_.image_bytes()),
                      std::vector<data::ImageFacts>(count)};
      data::decode_stretch(images_.subspan(from, count), job_, stretch.pixels, stretch.facts, {});
      return stretch;
    });
  }

  std::span<const data::Sample> images_;
  data::DecodeJob job_;
  std::size_t stretch_ = 0;
  std::future<Stretch> next_;  // last: waited for before anything it uses goes
};

/// Indexes of the pictures that could be read.
std::vector<std::int64_t> readable(const std::vector<data::ImageFacts>& facts) {
  std::vector<std::int64_t> indexes;
  for (std::size_t i = 0; i < facts.size(); ++i)
    if (facts[i].problem.empty()) indexes.push_back(static_cast<std::int64_t>(i));
  return indexes;
}

std::vector<float> logits_of(const Stretch& stretch, std::span<const data::Sample> images,
                             std::int64_t size, const std::vector<std::int64_t>& indexes,
                             LoadedModels& models, std::int64_t views) {
  if (indexes.empty()) return {};
  const data::PixelView pixels{stretch.pixels.data(), std::ssize(stretch.facts), size, size};
  std::vector<std::uint64_t> ids;
  for (std::size_t i = 0; i < stretch.facts.size(); ++i)
    ids.push_back(images[stretch.begin + i].id);
  const auto input = models.input(pixels, std::move(ids));
  return models.forward(input)(indexes, views,
                               [](std::int64_t, std::int64_t) { throw_if_stopped("predicting"); });
}

void give(const Stretch& stretch, const std::vector<float>& logits, std::size_t classes,
          const TakePredicted& take) {
  std::span<const float> rest(logits);
  for (std::size_t i = 0; i < stretch.facts.size(); ++i) {
    const auto image = stretch.begin + i;
    if (const auto& problem = stretch.facts[i].problem; !problem.empty()) {
      take({image, {}, problem});
    } else {
      take({image, rest.first(classes), {}});
      rest = rest.subspan(classes);
    }
  }
}

}  // namespace

void predict(const PredictRequest& request, const TakePredicted& take, train::Observer& observer) {
  LoadedModels models(request.model);
  Decoder decoder(request.images, request.model.experiment, models);
  const auto began = std::chrono::steady_clock::now();
  while (decoder.more()) {
    const auto stretch = decoder.next();
    const auto indexes = readable(stretch.facts);
    const auto logits = logits_of(stretch, request.images, decoder.size(), indexes, models,
                                  request.model.experiment.evaluate.tta);
    give(stretch, logits, request.model.classes.size(), take);
    const auto done = stretch.begin + stretch.facts.size();
    const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - began;
    observer.progress({.phase = "predict",
                       .done = static_cast<std::int64_t>(done),
                       .total = std::ssize(request.images),
                       .images_per_second = static_cast<double>(done) / spent.count()});
  }
}

}  // namespace bcx::engine
