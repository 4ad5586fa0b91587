// What an optimizer owes its host (bcx/sdk/optimizer.h).

#include "bcx/sdk/optimizer.h"

#include <fmt/format.h>
#include <torch/utils.h>

#include <limits>

#include "check/checks.h"
#include "check/parameters_check.h"
#include "check/tensors.h"
#include "check/torch_optimizers.h"

namespace bcx::check {
namespace {

using config::ComponentSpec;
using sdk::Optimizer;
using sdk::ParameterGroup;

at::Tensor scalar(double value) {
  return at::scalar_tensor(value, at::kDouble);
}

/// Two parameters, [7, 5] and [11], in one flat buffer as the host lays them out: aligned, with
/// zeros between.
struct Flat {
  static constexpr std::int64_t a_size = 35, b_offset = 48, b_size = 11, size = 64;
  at::Tensor parameters, gradients, rate, target, curvature;

  explicit Flat(double learning_rate, at::ScalarType type = at::kFloat)
      : parameters(at::zeros({size}, type)),
        gradients(at::zeros({size}, type)),
        rate(scalar(learning_rate)),
        target(at::zeros({size}, type)),
        curvature(at::zeros({size}, type)) {
    auto random = generator(3);
    for (const auto& [from, count] : {std::pair{std::int64_t{0}, a_size}, {b_offset, b_size}}) {
      parameters.narrow(0, from, count).copy_(at::randn({count}, random));
      target.narrow(0, from, count).copy_(at::randn({count}, random) * 0.1);
      curvature.narrow(0, from, count).copy_(at::rand({count}, random) + 0.5);
    }
  }

  /// Of half the curvature times the squared distance: a convex bowl.
  void set_gradients() { gradients.copy_(curvature * (parameters - target)); }
  double height() const {
    return (curvature * (parameters - target).square()).sum().item<double>() / 2;
  }
  /// Something else at each step, the same in each run.
  void set_gradients(std::int64_t step) {
    set_gradients();
    gradients.add_(at::randn({size}, generator(static_cast<std::uint64_t>(100 + step))) *
                   (curvature != 0).to(at::kDouble));
  }

  ParameterGroup range(std::int64_t from, std::int64_t to) const {
    ParameterGroup group;
    group.name = from == 0 ? "backbone" : "head";
    group.offset = from;
    group.parameters = parameters.slice(0, from, to);
    group.gradients = gradients.slice(0, from, to);
    group.learning_rate = rate;
    group.step = scalar(1);
    if (from == 0) group.segments.push_back({"a.weight", 0, a_size, {7, 5}});
    if (to == size) group.segments.push_back({"b.bias", b_offset - from, b_size, {b_size}});
    std::vector<std::int64_t> sizes;
    if (from == 0) sizes.push_back(b_offset);
    if (to == size) sizes.push_back(size - b_offset);
    group.segment_sizes = at::tensor(sizes, at::kLong);
    return group;
  }
  std::vector<ParameterGroup> whole() const { return {range(0, size)}; }
  std::vector<ParameterGroup> parts() const { return {range(0, b_offset), range(b_offset, size)}; }
};

void take_step(Optimizer& optimizer, std::span<const ParameterGroup> groups, std::int64_t step,
               bool skip = false) {
  for (const auto& group : groups) group.step.fill_(static_cast<double>(step));
  optimizer.step(groups, {.skip = at::scalar_tensor(skip, at::kBool)});
}

std::unique_ptr<Optimizer> made(const ComponentSpec& spec, const Flat& flat) {
  auto optimizer = build<Optimizer>(spec);
  optimizer->initialize(flat.parameters);
  return optimizer;
}

void walk(Optimizer& optimizer, Flat& flat, std::int64_t first, std::int64_t last) {
  const auto groups = flat.parts();
  for (auto step = first; step <= last; ++step) {
    flat.set_gradients(step);
    take_step(optimizer, groups, step);
  }
}

std::vector<at::Tensor> everything(Optimizer& optimizer, const Flat& flat) {
  std::vector<at::Tensor> copies{flat.parameters.clone()};
  for (const auto& item : optimizer.state()) copies.push_back(item.tensor.clone());
  return copies;
}

bool same_all(const std::vector<at::Tensor>& x, const std::vector<at::Tensor>& y) {
  return x.size() == y.size() && std::equal(x.begin(), x.end(), y.begin(), same_bits);
}

std::string parameters(const ComponentSpec& spec) {
  return check_parameters<Optimizer>(spec, [](Optimizer& optimizer) {
    Flat flat(0.01);
    optimizer.initialize(flat.parameters);
    walk(optimizer, flat, 1, 3);
    require(finite(flat.parameters), "the parameters are not finite after 3 steps");
  });
}

std::string bowl(const ComponentSpec& spec) {
  const double start = Flat(0).height();
  double best = start, best_rate = 0;
  for (const double rate : {1e-3, 1e-2, 1e-1, 1.0, 10.0}) {
    Flat flat(rate);
    const auto optimizer = made(spec, flat);
    const auto groups = flat.parts();
    for (std::int64_t step = 1; step <= 300; ++step) {
      flat.set_gradients();
      take_step(*optimizer, groups, step);
    }
    if (const double height = flat.height(); height < best) {
      best = height;
      best_rate = rate;
    }
  }
  require(
      best < 0.5 * start,
      fmt::format("does not descend a convex bowl: 300 steps lead from {:.3g} to {:.3g} at best, "
                  "over learning rates from 0.001 to 10",
                  start, best),
      "subtract from the parameters, and scale with the group's learning_rate");
  return fmt::format("from {:.3g} to {:.3g} in 300 steps with learning rate {}", start, best,
                     best_rate);
}

std::string zero_gradient(const ComponentSpec& spec) {
  Flat flat(0.01);
  const auto optimizer = made(spec, flat);
  auto groups = flat.parts();
  for (auto& group : groups) group.weight_decay = 0.0;
  const auto before = flat.parameters.clone();
  for (std::int64_t step = 1; step <= 3; ++step) take_step(*optimizer, groups, step);
  require(finite(flat.parameters), "a gradient of zero makes parameters that are not finite",
          "guard divisions by a norm or a root");
  require(at::equal(flat.parameters, before),
          "a gradient of zero without weight decay moves parameters",
          "multiply weight_decay by the group's");
  return "moves nothing";
}

std::string skip(const ComponentSpec& spec) {
  for_each_variation<Optimizer>(spec, [](Optimizer& optimizer) {
    Flat flat(0.01);
    flat.parameters[40] = -0.0F;
    optimizer.initialize(flat.parameters);
    for (std::int64_t step = 1; step <= 3; ++step) {
      const auto before = everything(optimizer, flat);
      flat.gradients.fill_(std::numeric_limits<float>::quiet_NaN());
      take_step(optimizer, flat.parts(), step, true);
      require(same_all(before, everything(optimizer, flat)),
              "a skipped step changes parameters or state",
              "take what was there with at::where(skip, old, new)");
      walk(optimizer, flat, step, step);
    }
    require(finite(flat.parameters), "a skipped step leaves NaN behind");
  });
  return "leaves parameters and state bit for bit";
}

void copy_state(Optimizer& from, Optimizer& to) {
  const auto source = from.state(), target = to.state();
  require(source.size() == target.size(), "two objects have a different number of state tensors",
          "allocate all state in initialize()");
  for (std::size_t i = 0; i < source.size(); ++i) {
    require(source[i].name == target[i].name && !source[i].name.empty(),
            "state() gives other names, or none", "keep a fixed order with a name each");
    require(
        source[i].tensor.sizes() == target[i].tensor.sizes() &&
            source[i].tensor.scalar_type() == target[i].tensor.scalar_type(),
        fmt::format("state \"{}\" has another shape or type in another object", source[i].name));
    target[i].tensor.copy_(source[i].tensor);
  }
}

/// Steps 4 to 6 of an object that ran on, and of a fresh one that was given its state.
std::size_t compare_resumed(const ComponentSpec& spec, const Values& values) {
  Flat flat(0.01), resumed(0.01);
  const auto before = build<Optimizer>(spec, values), after = build<Optimizer>(spec, values);
  before->initialize(flat.parameters);
  after->initialize(resumed.parameters);
  walk(*before, flat, 1, 3);
  resumed.parameters.copy_(flat.parameters);
  copy_state(*before, *after);
  walk(*before, flat, 4, 6);
  walk(*after, resumed, 4, 6);
  require(same_all(everything(*before, flat), everything(*after, resumed)),
          "state copied into another object goes on to other bits",
          "give out every tensor that a later step depends on, by reference");
  return before->state().size();
}

std::string state(const ComponentSpec& spec) {
  std::size_t most = 0;
  for (const auto& variation : variations(spec)) {
    try {
      most = std::max(most, compare_resumed(spec, variation.values));
    } catch (const std::invalid_argument&) {
      continue;  // values that do not go together
    }
  }
  return fmt::format("all of it in {} {}", most, most == 1 ? "tensor" : "tensors");
}

std::string ranges(const ComponentSpec& spec) {
  Flat flat(0.01);
  const auto optimizer = made(spec, flat);
  walk(*optimizer, flat, 1, 2);
  const auto groups = flat.parts();
  const auto before = everything(*optimizer, flat);
  flat.set_gradients(3);
  take_step(*optimizer, std::span(groups).subspan(1), 3);
  const auto after = everything(*optimizer, flat);
  for (std::size_t i = 0; i < before.size(); ++i) {
    if (before[i].dim() != 1 || before[i].size(0) != Flat::size) continue;
    require(
        same_bits(before[i].narrow(0, 0, Flat::b_offset), after[i].narrow(0, 0, Flat::b_offset)),
        "a frozen range changes", "narrow state with the group's offset");
  }
  require(!same_bits(before[0], after[0]), "a range that is trained alone does not change");
  const auto padding = flat.parameters.narrow(0, Flat::a_size, Flat::b_offset - Flat::a_size);
  require(padding.count_nonzero().item<std::int64_t>() == 0,
          "the padding between parameters moves");
  return "frozen ones and padding keep their bits";
}

std::string lifetime(const ComponentSpec& spec) {
  Flat one(0.01), other(0.01);
  auto first = made(spec, one), second = made(spec, other);
  walk(*first, one, 1, 3);
  const auto state = first->state();
  first.reset();
  walk(*second, other, 1, 3);
  require(same_bits(one.parameters, other.parameters), "two objects have a hand in each other");
  second.reset();
  for (const auto& item : state) require(finite(item.tensor), "state does not outlive its object");
  return "objects go before their results, and the process ends well";
}

std::string against_torch(const ComponentSpec& spec) {
  int compared = 0;
  for (const auto& variation : variations(spec)) {
    Flat flat(0.01, at::kDouble), reference(0.01, at::kDouble);
    std::unique_ptr<Optimizer> optimizer;
    try {
      optimizer = build<Optimizer>(spec, variation.values);
    } catch (const std::invalid_argument&) {
      continue;
    }
    optimizer->initialize(flat.parameters);
    reference.parameters.mutable_grad() = reference.gradients;
    const auto torch_one = torch_optimizer(spec.name, variation.values, reference.parameters, 0.01);
    for (std::int64_t step = 1; step <= 12; ++step) {
      walk(*optimizer, flat, step, step);
      reference.set_gradients(step);
      torch_one->step();
    }
    ++compared;
    const double worst = (flat.parameters - reference.parameters).abs().max().item<double>();
    require(worst < 1e-9 || at::allclose(flat.parameters, reference.parameters, 1e-7, 1e-9, true),
            fmt::format("{}differs from torch's own by {:.3g} after 12 steps in float64",
                        variation.what.empty() ? "" : "with " + variation.what + ": ", worst),
            "or give the component another name");
  }
  return fmt::format("agrees with torch's own in float64, with {} sets of values", compared);
}

}  // namespace

std::vector<Check> optimizer_checks(const ComponentSpec& spec) {
  const auto with = [&spec](std::string (*check)(const ComponentSpec&)) {
    return [&spec, check] {
      const torch::NoGradGuard no_grad;
      return check(spec);
    };
  };
  std::vector<Check> checks{{"parameters", with(parameters)},
                            {"bowl", with(bowl)},
                            {"zero gradient", with(zero_gradient)},
                            {"skip", with(skip)},
                            {"state", with(state)},
                            {"ranges", with(ranges)}};
  if (torch_has(spec)) checks.push_back({"torch", with(against_torch)});
  checks.push_back({"lifetime", with(lifetime), Ending::normal});
  return checks;
}

}  // namespace bcx::check
