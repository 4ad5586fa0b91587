#include "train/step_recorder.h"

#include <fmt/format.h>
#include <torch/utils.h>

#include <algorithm>

#include "base/text.h"

namespace bcx::train {
namespace {

/// How far replayed values may be from eager ones, over how far two eager steps are apart.
constexpr double noise_factor = 4.0;

/// Values of the step's loss and of its state, at one moment.
using Values = std::vector<at::Tensor>;

Values values_of(const std::vector<sdk::NamedTensor>& state, const at::Tensor& loss) {
  torch::NoGradGuard no_grad;
  Values values{loss.clone()};
  for (const auto& [name, tensor] : state) values.push_back(tensor.clone());
  return values;
}

void put_back(const std::vector<sdk::NamedTensor>& state, const Values& values) {
  torch::NoGradGuard no_grad;
  for (std::size_t i = 0; i < state.size(); ++i) state[i].tensor.copy_(values[i + 1]);
}

double distance(const at::Tensor& a, const at::Tensor& b) {
  return at::linalg_vector_norm(a.to(at::kDouble) - b.to(at::kDouble)).item<double>();
}

/// Numbers that are none are as good as each other.
bool same(const at::Tensor& a, const at::Tensor& b) {
  return at::allclose(a, b, /*rtol=*/0.0, /*atol=*/0.0, /*equal_nan=*/true);
}

struct Outcomes {
  Values before, eager, again, replayed;
};

/// In words, what was replayed too differently; empty when nothing was.
std::string difference(const Outcomes& outcomes, const std::vector<sdk::NamedTensor>& state,
                       bool exact, double tolerance) {
  for (std::size_t i = 0; i < outcomes.eager.size(); ++i) {
    const auto& eager = outcomes.eager[i];
    if (same(eager, outcomes.replayed[i])) continue;
    const std::string name = i == 0 ? "loss" : state[i - 1].name;
    const double apart = distance(eager, outcomes.replayed[i]);
    const double change = distance(eager, outcomes.before[i]);
    if (exact)
      return fmt::format("{} is {:.3g} away, and deterministic steps must agree bit for bit", name,
                         apart);
    const double noise = distance(eager, outcomes.again[i]);
    // The other way round, a distance that is no number would pass.
    if (!(apart <= std::max(noise_factor * noise, tolerance * change)))
      return fmt::format(
          "{} is {:.3g} away, a step changes it by {:.3g}, two eager ones differ by {:.3g}", name,
          apart, change, noise);
  }
  return {};
}

bool same_form(const at::Tensor& a, const at::Tensor& b) {
  return a.sizes() == b.sizes() && a.scalar_type() == b.scalar_type();
}

}  // namespace

StepRecorder::StepRecorder(RecordWork record, at::Generator generator)
    : record_(std::move(record)), generator_(std::move(generator)) {}

at::Tensor StepRecorder::run(const RecordableStep& step, double tolerance) {
  const Shape shape{step.micro_batches, step.samples};
  in_a_row_ = shape == latest_ ? in_a_row_ + 1 : 1;
  latest_ = shape;
  if (!record_) return step.eager();
  if (kept_ && kept_->shape == shape) return kept_->checked ? replay(step) : check(step, tolerance);
  if (in_a_row_ > warm_up_steps) record(step);
  return step.eager();
}

void StepRecorder::forget() {
  kept_.reset();
  in_a_row_ = 0;
}

void StepRecorder::give_up(const std::string& why) {
  forget();
  record_ = {};
  // CUDA's errors go on for lines about how to debug them.
  note_ = fmt::format("no CUDA graph, each operation is launched by itself: {}",
                      printable(why.substr(0, why.find('\n'))));
}

void StepRecorder::record(const RecordableStep& step) {
  kept_.reset();  // its memory may be needed
  auto made = std::make_unique<Record>();
  made->shape = {step.micro_batches, step.samples};
  for (const auto& batch : step.make_batches())
    made->inputs.push_back({batch.images.clone(), batch.targets.clone()});
  for (const auto seed : step.seeds) {
    made->generators.push_back(generator_.clone());
    made->generators.back().set_current_seed(seed);
  }
  try {
    made->work = record_(
        [to = made.get(), body = step.body] { to->loss = body(to->inputs, to->generators); },
        made->generators);
    kept_ = std::move(made);
  } catch (const std::exception& error) {
    give_up(fmt::format("the step cannot be recorded: {}", error.what()));
  }
}

/// Fills in what differs from step to step. False when the batches have another form.
bool StepRecorder::load(const RecordableStep& step) {
  torch::NoGradGuard no_grad;
  const auto batches = step.make_batches();
  if (batches.size() != kept_->inputs.size()) return false;
  for (std::size_t i = 0; i < batches.size(); ++i)
    if (!same_form(batches[i].images, kept_->inputs[i].images) ||
        !same_form(batches[i].targets, kept_->inputs[i].targets))
      return false;
  for (std::size_t i = 0; i < batches.size(); ++i) {
    kept_->inputs[i].images.copy_(batches[i].images);
    kept_->inputs[i].targets.copy_(batches[i].targets);
    kept_->generators[i].set_current_seed(step.seeds[i]);
  }
  return true;
}

at::Tensor StepRecorder::replay(const RecordableStep& step) {
  if (!load(step)) return step.eager();
  kept_->work->replay();
  ++replayed_;
  return kept_->loss.clone();
}

/// Replays, undoes that, and runs the step twice eagerly; the second one counts.
at::Tensor StepRecorder::check(const RecordableStep& step, double tolerance) {
  if (!load(step)) return step.eager();
  const auto state = step.state();
  Outcomes outcomes;
  outcomes.before = values_of(state, state.front().tensor.new_zeros({}));
  try {
    kept_->work->replay();
    outcomes.replayed = values_of(state, kept_->loss);
  } catch (const std::exception& error) {
    give_up(fmt::format("replaying the step failed: {}", error.what()));
  }
  put_back(state, outcomes.before);
  if (!kept_) return step.eager();
  outcomes.eager = values_of(state, step.eager());
  put_back(state, outcomes.before);
  const auto loss = step.eager();
  outcomes.again = values_of(state, loss);
  if (!kept_) return loss;  // memory ran out, and the step is now made in parts

  const bool exact = at::globalContext().deterministicAlgorithms();
  const auto wrong = difference(outcomes, state, exact, tolerance);
  if (wrong.empty()) {
    kept_->checked = true;
    note_ = fmt::format("steps of {} image{} are replayed as a CUDA graph from now on",
                        step.samples, step.samples == 1 ? "" : "s");
  } else {
    give_up(fmt::format("replayed, a step comes out otherwise: {}", wrong));
  }
  return loss;
}

}  // namespace bcx::train
