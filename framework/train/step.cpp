#include "train/step.h"

#include <fmt/format.h>
#include <torch/utils.h>

#include "base/error.h"
#include "base/hash.h"
#include "bcx/sdk/segments.h"
#include "train/memory_guard.h"

namespace bcx::train {
namespace {

constexpr double first_loss_scale = 65536.0, scale_growth = 2.0, scale_backoff = 0.5;
// Below 1 a loss would be scaled away from where it overflows nothing; above 2^24 nothing is
// gained.
constexpr double smallest_loss_scale = 1.0, largest_loss_scale = 16777216.0;
constexpr std::int64_t scale_interval = 2000;

/// Of a replayed step against an eager one: rounding may differ, and with it what few kernels add
/// up in another order.
constexpr double replay_tolerance_fp32 = 1e-3, replay_tolerance_lower = 2e-2;

enum Total { loss_sum, right, samples, skipped, total_count };

std::uint64_t model_seed(std::uint64_t seed, StepPosition at, std::int64_t micro_step) {
  return stable_hash(fmt::format("{}/model/{}/{}/{}", seed, at.epoch, at.step, micro_step));
}

}  // namespace

StepExecutor::StepExecutor(model::Classifier& classifier, model::FlatParameters& parameters,
                           sdk::Optimizer& optimizer, plugin::CallSite optimizer_site,
                           plugin::CallSite backbone_site, const Loss& loss,
                           const StepSettings& settings)
    : classifier_(classifier),
      parameters_(parameters),
      optimizer_(optimizer),
      optimizer_site_(std::move(optimizer_site)),
      backbone_site_(std::move(backbone_site)),
      loss_(loss),
      settings_(settings),
      groups_(parameters, settings.multipliers),
      lower_weights_(classifier, parameters),
      recorder_(settings.record,
                at::globalContext().defaultGenerator(parameters.values().device()).clone()) {
  const auto device = parameters.values().device();
  const auto scalar = at::TensorOptions().dtype(at::kDouble).device(device);
  totals_ = at::zeros({total_count}, scalar);
  gradient_norm_ = at::zeros({}, scalar);
  loss_scale_ =
      at::full({}, settings.precision == Precision::fp16 ? first_loss_scale : 1.0, scalar);
  good_steps_ = at::zeros({}, scalar);
  context_.generator = at::globalContext().defaultGenerator(device).clone();
  optimizer_site_("allocating its state",
                  [&] { within_memory([&] { optimizer_.initialize(parameters_.values()); }); });
}

void StepExecutor::set_frozen(std::span<const std::string> patterns) {
  parameters_.freeze(patterns);
  if (groups_.update()) recorder_.forget();
  classifier_.train_unfrozen(settings_.train_frozen_batch_norm);
}

void StepExecutor::enter_training() {
  // Looking at every parameter of every module takes milliseconds, so only after an evaluation.
  if (!classifier_.is_training()) classifier_.train_unfrozen(settings_.train_frozen_batch_norm);
}

void StepExecutor::set_learning_rate(double rate) {
  groups_.set_learning_rate(rate);
}

void StepExecutor::set_precision(Precision precision) {
  settings_.precision = precision;
  recorder_.forget();
}

void StepExecutor::set_parts(std::int64_t parts) {
  parts_ = parts;
  recorder_.forget();
}

void StepExecutor::round_weights(Precision precision) {
  if (!settings_.round_weights_once || precision == Precision::fp32) return;
  within_memory(
      [&] { lower_weights_.refresh(precision == Precision::bf16 ? at::kBFloat16 : at::kHalf); });
}

at::Tensor StepExecutor::forward_backward(const sdk::Batch& batch, MicroStep micro,
                                          Precision precision) {
  std::optional<model::LowerWeights::Scope> lower;
  if (settings_.round_weights_once && precision != Precision::fp32) lower.emplace(lower_weights_);
  at::Tensor logits;
  {
    const AutocastScope autocast(batch.images.device(), precision);
    logits = backbone_site_("the forward pass", [&] {
      return within_memory([&] { return classifier_.forward(batch.images, context_); });
    });
  }
  const auto loss = loss_.mean(logits, batch.targets);
  backbone_site_("the backward pass", [&] {
    const auto scaled = precision == Precision::fp16 ? loss * loss_scale_ : loss;
    within_memory([&] { scaled.backward(); });
  });
  lower.reset();
  parameters_.collect_gradients(/*accumulate=*/micro.index > 0, micro.share);

  torch::NoGradGuard no_grad;
  const auto count = static_cast<double>(batch.images.size(0));
  const auto hits = logits.argmax(1).eq(batch.targets.argmax(1)).sum().to(at::kDouble);
  totals_[loss_sum].add_(loss.detach().to(at::kDouble), count);
  totals_[right].add_(hits);
  totals_[samples].add_(count);
  return loss.detach();
}

StepExecutor::Before StepExecutor::remember() const {
  if (!settings_.undo_skipped && !settings_.allow_parts) return {};
  return {parameters_.buffers().clone(), totals_.clone()};
}

/// Parts of one size or one less, so that none is left over for a batch normalisation.
std::vector<sdk::Batch> StepExecutor::split(const sdk::Batch& batch) const {
  const auto size = batch.images.size(0);
  const std::int64_t smallest = parameters_.statistics().empty() ? 1 : 2;
  const auto parts = std::max<std::int64_t>(1, std::min(parts_, size / smallest));
  if (parts == 1) return {batch};
  const auto images = batch.images.tensor_split(parts), targets = batch.targets.tensor_split(parts);
  std::vector<sdk::Batch> all;
  for (std::size_t i = 0; i < images.size(); ++i) all.push_back({images[i], targets[i]});
  return all;
}

at::Tensor StepExecutor::accumulate(std::int64_t count, std::int64_t sample_count,
                                    const std::function<sdk::Batch(std::int64_t)>& make_batch,
                                    StepPosition position) {
  at::Tensor loss;
  std::int64_t index = 0;
  round_weights(settings_.precision);
  for (std::int64_t i = 0; i < count; ++i)
    for (const auto& batch : split(make_batch(i))) {
      context_.generator.set_current_seed(model_seed(settings_.seed, position, index));
      const double share =
          static_cast<double>(batch.images.size(0)) / static_cast<double>(sample_count);
      const auto part = forward_backward(batch, {index, share}, settings_.precision);
      loss = index == 0 ? part * share : loss + part * share;
      ++index;
    }
  return loss;
}

/// False when parts cannot be any smaller.
bool StepExecutor::split_further(std::int64_t largest) {
  const std::int64_t smallest = parameters_.statistics().empty() ? 1 : 2;
  if (!settings_.allow_parts || largest / (2 * parts_) < smallest) return false;
  set_parts(2 * parts_);
  return true;
}

at::Tensor StepExecutor::run_eagerly(std::int64_t count, std::int64_t sample_count,
                                     const MakeBatch& make_batch, StepPosition position) {
  const Before before = remember();
  at::Tensor loss;
  while (!loss.defined()) {
    try {
      loss = within_memory([&] { return accumulate(count, sample_count, make_batch, position); });
    } catch (const Error& error) {
      const auto largest = (sample_count + count - 1) / count;
      if (error.code() != ExitCode::device || !split_further(largest)) throw;
      torch::NoGradGuard no_grad;
      parameters_.collect_gradients(/*accumulate=*/false, 0.0);  // of a backward pass cut short
      parameters_.buffers().copy_(before.buffers);
      totals_.copy_(before.totals);
    }
  }
  torch::NoGradGuard no_grad;
  update(loss, before);
  return loss;
}

RecordableStep StepExecutor::recordable(std::int64_t count, std::int64_t samples,
                                        const MakeBatch& make_batch, StepPosition position) {
  RecordableStep step;
  step.micro_batches = count;
  step.samples = samples;
  for (std::int64_t i = 0; i < count; ++i)
    step.seeds.push_back(model_seed(settings_.seed, position, i));
  step.eager = [=, this, &make_batch] { return run_eagerly(count, samples, make_batch, position); };
  step.make_batches = [count, &make_batch] {
    std::vector<sdk::Batch> batches;
    for (std::int64_t i = 0; i < count; ++i) batches.push_back(make_batch(i));
    return batches;
  };
  step.body = [this](auto batches, auto generators) { return run_given(batches, generators); };
  step.state = [this] { return changing_state(); };
  return step;
}

StepValues StepExecutor::run(std::int64_t count, std::int64_t sample_count,
                             const std::function<sdk::Batch(std::int64_t)>& make_batch,
                             StepPosition position) {
  enter_training();
  const double tolerance =
      settings_.precision == Precision::fp32 ? replay_tolerance_fp32 : replay_tolerance_lower;
  const auto loss =
      recorder_.in_use() && parts_ == 1
          ? recorder_.run(recordable(count, sample_count, make_batch, position), tolerance)
          : run_eagerly(count, sample_count, make_batch, position);
  torch::NoGradGuard no_grad;
  return {loss, gradient_norm_.clone()};
}

void StepExecutor::update(const at::Tensor& loss, const Before& before) {
  const auto& gradients = parameters_.gradients();
  if (settings_.precision == Precision::fp16) gradients.mul_(loss_scale_.reciprocal());
  const auto norm = at::linalg_vector_norm(gradients).to(at::kDouble);
  const auto skip = norm.isfinite().logical_and(loss.isfinite()).logical_not();
  gradient_norm_.copy_(norm);
  // Not by a factor that is no number: padding between the segments, which nothing overwrites,
  // would stay so, and with it the norm of every step to come.
  if (settings_.clip_norm > 0)
    gradients.mul_(
        at::where(skip, at::ones_like(norm), (settings_.clip_norm / (norm + 1e-6)).clamp_max(1.0)));

  groups_.begin_step();
  optimizer_site_(
      "a step", [&] { within_memory([&] { optimizer_.step(groups_.ranges(), {.skip = skip}); }); });
  groups_.end_step(skip);
  if (settings_.undo_skipped) {
    parameters_.buffers().copy_(at::where(skip, before.buffers, parameters_.buffers()));
    totals_.copy_(at::where(skip, before.totals, totals_));
  }
  totals_[skipped].add_(skip.to(at::kDouble));
  if (settings_.precision == Precision::fp16) update_loss_scale(skip);
}

void StepExecutor::update_loss_scale(const at::Tensor& skip) {
  const auto good = at::where(skip, at::zeros_like(good_steps_), good_steps_ + 1.0);
  const auto grow = good.ge(static_cast<double>(scale_interval));
  const auto next = at::where(skip, loss_scale_ * scale_backoff,
                              at::where(grow, loss_scale_ * scale_growth, loss_scale_));
  loss_scale_.copy_(next.clamp(smallest_loss_scale, largest_loss_scale));
  good_steps_.copy_(at::where(grow, at::zeros_like(good), good));
}

void StepExecutor::average_weights(double share) {
  torch::NoGradGuard no_grad;
  if (!average_values_.defined()) {
    average_values_ = parameters_.values().clone();
    average_buffers_ = parameters_.buffers().clone();
    return;
  }
  average_values_.lerp_(parameters_.values(), share);
  average_buffers_.lerp_(parameters_.buffers(), share);
}

void StepExecutor::forget_average() {
  average_values_ = average_buffers_ = at::Tensor();
}

std::map<std::string, double, std::less<>> StepExecutor::gradient_norms() const {
  std::map<std::string, double, std::less<>> norms;
  for (const auto& range : groups_.ranges()) {
    const auto host = sdk::segment_norms(range.gradients, range).to(at::kCPU, at::kDouble);
    for (std::size_t i = 0; i < range.segments.size(); ++i)
      norms[range.segments[i].name] = host[static_cast<std::int64_t>(i)].item<double>();
  }
  return norms;
}

Totals StepExecutor::totals() const {
  const auto host = totals_.to(at::kCPU);
  const auto value = host.accessor<double, 1>();
  Totals totals;
  totals.samples = static_cast<std::int64_t>(value[samples]);
  totals.skipped = static_cast<std::int64_t>(value[skipped]);
  const double n = std::max(1.0, value[samples]);
  totals.loss = value[loss_sum] / n;
  totals.accuracy = value[right] / n;
  return totals;
}

void StepExecutor::clear_totals() {
  totals_.zero_();
}

std::int64_t StepExecutor::optimizer_steps() const {
  return static_cast<std::int64_t>(groups_.steps().max().item<double>());
}

std::vector<sdk::NamedTensor> StepExecutor::state() {
  return {{"steps", groups_.steps()},
          {"totals", totals_},
          {"loss_scale", loss_scale_},
          {"good_steps", good_steps_}};
}

void StepExecutor::rehearse(const sdk::Batch& batch, Precision precision) {
  const auto buffers = parameters_.buffers().clone();
  const auto totals = totals_.clone();
  enter_training();
  context_.generator.set_current_seed(0);
  round_weights(precision);
  forward_backward(batch, {0, 1.0}, precision);
  torch::NoGradGuard no_grad;
  parameters_.buffers().copy_(buffers);
  totals_.copy_(totals);
}

}  // namespace bcx::train
