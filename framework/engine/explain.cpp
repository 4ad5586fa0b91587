#include "engine/explain.h"

#include <ATen/CPUGeneratorImpl.h>
#include <fmt/format.h>
#include <torch/utils.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/signals.h"
#include "data/decode_workers.h"
#include "engine/trained_model.h"
#include "eval/rank_correlation.h"
#include "model/grad_cam.h"

namespace bcx::engine {
namespace {

/// The weights that make logits of features: the last with a row for each class. None where the
/// classifier is made in another way.
const model::Entry* last_layer(const model::FlatParameters& parameters, std::int64_t classes) {
  const model::Entry* last = nullptr;
  for (const auto& entry : parameters.parameters())
    if (entry.shape.size() >= 2 && entry.shape[0] == classes) last = &entry;
  return last;
}

std::vector<double> row_of(const at::Tensor& maps, std::int64_t image) {
  const auto row = maps[image].to(at::kCPU).to(at::kDouble).contiguous();
  const auto* values = row.const_data_ptr<double>();
  return {values, values + row.numel()};
}

/// Pictures of one batch, decoded.
struct Pictures {
  std::size_t begin = 0;
  std::vector<std::uint8_t> owned;
  std::vector<data::ImageFacts> facts;
  data::PixelView view;
};

class Explainer {
 public:
  Explainer(const ExplainRequest& request, const TakeExplained& take)
      : request_(request),
        take_(take),
        models_(request.model),
        preprocess_(models_.preprocess()),
        layer_(last_layer(models_.first().setup.parameters,
                          static_cast<std::int64_t>(request.model.classes.size()))),
        generator_(at::make_generator<at::CPUGeneratorImpl>(
            stable_hash(fmt::format("{}/explain", request.model.experiment.seed)))) {}

  void run(train::Observer& observer) {
    const auto count = request_.images.size();
    const auto batch = static_cast<std::size_t>(models_.batch_size());
    for (std::size_t begin = 0; begin < count; begin += batch) {
      throw_if_stopped("explaining");
      explain(pictures(begin, std::min(batch, count - begin)));
      observer.progress({.phase = "explain",
                         .done = static_cast<std::int64_t>(std::min(begin + batch, count)),
                         .total = static_cast<std::int64_t>(count)});
    }
  }

 private:
  Pictures pictures(std::size_t begin, std::size_t count) const {
    Pictures pictures{begin, {}, std::vector<data::ImageFacts>(count), {}};
    if (request_.pixels.data) {
      pictures.view = preprocessed_pixels(begin, count, pictures.owned);
      return pictures;
    }
    data::DecodeOptions options;
    options.preprocess = preprocess_;
    const auto job = data::decode_job(request_.model.experiment.data, options);
    pictures.owned.resize(count * job.image_bytes());
    data::decode_stretch(request_.images.subspan(begin, count), job, pictures.owned, pictures.facts,
                         {});
    pictures.view = {pictures.owned.data(), static_cast<std::int64_t>(count), job.size, job.size};
    return pictures;
  }

  data::PixelView preprocessed_pixels(std::size_t begin, std::size_t count,
                                      std::vector<std::uint8_t>& owned) const {
    const auto& all = request_.pixels;
    for (std::size_t i = 0; i < count; ++i) {
      data::Image image(all.height, all.width);
      std::copy_n(all.image(static_cast<std::int64_t>(begin + i)), image.rgb.size(),
                  image.rgb.begin());
      if (preprocess_.apply) preprocess_.apply(image);
      owned.insert(owned.end(), image.rgb.begin(), image.rgb.end());
    }
    return {owned.data(), static_cast<std::int64_t>(count), all.height, all.width};
  }

  void explain(const Pictures& pictures) {
    std::vector<std::int64_t> readable;
    for (std::size_t i = 0; i < pictures.facts.size(); ++i) {
      if (pictures.facts[i].problem.empty())
        readable.push_back(static_cast<std::int64_t>(i));
      else
        take_({.image = pictures.begin + i, .problem = pictures.facts[i].problem});
    }
    if (readable.empty()) return;
    const auto input =
        models_.input(pictures.view, std::vector<std::uint64_t>(pictures.facts.size(), 0));
    model::GradCam cam(*models_.first().setup.classifier.object, input.evaluation(readable),
                       context_);
    const auto logits = cam.logits().to(at::kCPU).to(at::kFloat).contiguous();
    std::vector<std::int64_t> targets;
    for (std::int64_t i = 0; i < logits.size(0); ++i)
      targets.push_back(request_.explained_class(logits_of(logits, i)));
    const auto maps = cam.maps(targets).to(at::kCPU).to(at::kFloat).contiguous();
    require_cells(maps);
    const auto correlations = compare_with_random(cam, targets, maps);
    for (std::int64_t i = 0; i < maps.size(0); ++i) {
      const auto n = static_cast<std::size_t>(i);
      take_(
          {.image = pictures.begin + static_cast<std::size_t>(readable[n]),
           .logits = logits_of(logits, i),
           .of_class = static_cast<int>(targets[n]),
           .picture = {pictures.view.image(readable[n]), pictures.view.height, pictures.view.width},
           .map = {maps.const_data_ptr<float>() + i * maps.size(1) * maps.size(2),
                   static_cast<std::size_t>(maps.size(1) * maps.size(2))},
           .rows = maps.size(1),
           .columns = maps.size(2),
           .random_correlation = correlations[n]});
    }
  }

  static std::span<const float> logits_of(const at::Tensor& logits, std::int64_t image) {
    return {logits.const_data_ptr<float>() + image * logits.size(1),
            static_cast<std::size_t>(logits.size(1))};
  }

  void require_cells(const at::Tensor& maps) const {
    if (maps.size(1) * maps.size(2) >= 4) return;
    const auto& e = request_.model.experiment;
    throw Error(
        ExitCode::usage,
        {fmt::format("the feature map of {} is {} x {} for pictures of {} pixels: it cannot "
                     "say where",
                     e.model.backbone.name, maps.size(1), maps.size(2), e.data.image_size),
         "data.image_size", "train on larger pictures"});
  }

  /// Of each image: the mean rank correlation of its map with those of random last layers.
  std::vector<std::optional<double>> compare_with_random(model::GradCam& cam,
                                                         std::span<const std::int64_t> targets,
                                                         const at::Tensor& maps) {
    const auto count = static_cast<std::size_t>(maps.size(0));
    std::vector<std::optional<double>> means(count);
    if (!layer_) return means;
    std::vector<double> sums(count, 0.0);
    std::vector<int> defined(count, 0);
    torch::NoGradGuard no_grad;
    const auto weights = layer_->owner, trained = weights.clone();
    for (int draw = 0; draw < explain_draws; ++draw) {
      weights.copy_(at::empty(layer_->shape).normal_(0.0, 1.0, generator_));
      const auto random = cam.maps(targets);
      for (std::size_t i = 0; i < count; ++i) {
        const auto at = static_cast<std::int64_t>(i);
        const auto rho = eval::rank_correlation(row_of(maps, at), row_of(random, at));
        if (!rho) continue;
        sums[i] += *rho;
        ++defined[i];
      }
    }
    weights.copy_(trained);
    for (std::size_t i = 0; i < count; ++i)
      if (defined[i] > 0) means[i] = sums[i] / defined[i];
    return means;
  }

  const ExplainRequest& request_;
  const TakeExplained& take_;
  LoadedModels models_;
  data::PreprocessHook preprocess_;
  const model::Entry* layer_;
  at::Generator generator_;
  sdk::ModelContext context_;  // evaluation draws no numbers
};

}  // namespace

void explain(const ExplainRequest& request, const TakeExplained& take, train::Observer& observer) {
  Explainer(request, take).run(observer);
}

}  // namespace bcx::engine
