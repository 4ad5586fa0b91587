// Optimizers against ../shared/parity/optimizers.json (torch.optim and timm.optim in float64), and
// the rules that hold for any optimizer: skip, groups, state.
#include <ATen/ATen.h>

#include <cmath>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>

#include "bcx/sdk/optimizer.h"
#include "tests/catch.h"
#include "tests/declared_component.h"
#include "tests/parity/fill.h"

namespace {

using bcx::sdk::Optimizer;
using bcx::sdk::ParameterGroup;
using bcx::sdk::StepScalars;
using bcx::test::Values;
using nlohmann::json;

at::Tensor scalar(double value) {
  return at::scalar_tensor(value, at::kDouble);
}

StepScalars scalars(bool skip = false) {
  return {.skip = at::scalar_tensor(skip, at::kBool)};
}

/// The two parameters of the reference in one flat buffer, 64-byte aligned.
struct Flat {
  static constexpr std::int64_t a_size = 35, b_offset = 48, b_size = 11, size = 64;
  at::Tensor parameters, gradients, rate, step;

  Flat(at::ScalarType type, double learning_rate)
      : parameters(at::zeros({size}, type)),
        gradients(at::zeros({size}, type)),
        rate(scalar(learning_rate)),
        step(scalar(0)) {
    parameters.narrow(0, 0, a_size).copy_(bcx::test::fill("a", {7, 5}).flatten());
    parameters.narrow(0, b_offset, b_size).copy_(bcx::test::fill("b", {b_size}));
  }

  /// The gradients of step t, counted from 0.
  void set_gradients(std::int64_t t) {
    step.fill_(static_cast<double>(t + 1));
    gradients.copy_(parameters * 0.1);
    const auto add = [&](const std::string& name, std::int64_t offset, std::int64_t count) {
      const auto u =
          bcx::test::fill_uniform("grad." + name + "." + std::to_string(t), at::IntArrayRef{count});
      gradients.narrow(0, offset, count).add_(2.0 * u - 1.0);
    };
    add("a", 0, a_size);
    add("b", b_offset, b_size);
  }

  at::Tensor part(char name) const {
    return name == 'a' ? parameters.narrow(0, 0, a_size) : parameters.narrow(0, b_offset, b_size);
  }

  ParameterGroup range(std::int64_t from, std::int64_t to) const {
    ParameterGroup group;
    group.offset = from;
    group.parameters = parameters.slice(0, from, to);
    group.gradients = gradients.slice(0, from, to);
    group.learning_rate = rate;
    group.step = step;
    std::vector<std::int64_t> sizes;
    const auto add = [&](const char* name, std::int64_t start, std::int64_t end,
                         std::vector<std::int64_t> shape) {
      if (start < from || end > to) return;
      const std::int64_t count = at::IntArrayRef(shape).size() == 2 ? a_size : b_size;
      group.segments.push_back({name, start - from, count, std::move(shape)});
      sizes.push_back(end - start);
    };
    add("a", 0, b_offset, {7, 5});
    add("b", b_offset, size, {b_size});
    group.segment_sizes = at::tensor(sizes, at::kLong);
    return group;
  }

  std::vector<ParameterGroup> one_group() const { return {range(0, size)}; }
  std::vector<ParameterGroup> two_groups() const {
    return {range(0, b_offset), range(b_offset, size)};
  }
};

std::unique_ptr<Optimizer> make(const std::string& name, const Values& given) {
  const auto& spec = bcx::test::declared(bcx::config::ComponentKind::optimizer, name);
  return bcx::test::component(spec.plugin, name).optimizer(bcx::test::declared_params(spec, given));
}

struct Case {
  std::string reference, component;
  Values given;
};

const std::vector<Case> cases{
    {"sgd", "sgd", {{"momentum", 0.0}}},
    {"sgd_momentum", "sgd", {{"momentum", 0.9}}},
    {"sgd_nesterov", "sgd", {{"momentum", 0.9}, {"nesterov", true}, {"weight_decay", 0.01}}},
    {"adam", "adam", {}},
    {"adam_l2", "adam", {{"weight_decay", 0.1}}},
    {"amsgrad", "adam", {{"amsgrad", true}}},
    {"adamw", "adamw", {{"weight_decay", 0.1}}},
    {"nadam", "nadam", {}},
    {"radam", "radam", {}},
    {"adamax", "adamax", {}},
    {"rmsprop", "rmsprop", {{"momentum", 0.5}}},
    {"rmsprop_centered", "rmsprop", {{"centered", true}}},
    {"adagrad", "adagrad", {}},
    {"lion", "lion", {{"weight_decay", 0.1}}},
    {"lamb", "lamb", {{"weight_decay", 0.1}}},
    {"lars", "lars", {{"weight_decay", 0.01}}},
};

void compare(const Flat& flat, const json& expected, double tolerance) {
  for (const char name : {'a', 'b'}) {
    const auto norm = flat.part(name).to(at::kDouble).norm().item<double>();
    CHECK(norm == Approx(expected.at(std::string(1, name)).get<double>()).epsilon(tolerance));
  }
}

void meet_reference(at::ScalarType type, double tolerance, bool split) {
  std::ifstream file(bcx::test::shared_dir() / "parity/optimizers.json");
  const auto reference = json::parse(file);
  CHECK(reference.size() == cases.size());
  for (const auto& [name, component, given] : cases) {
    INFO(name);
    const auto& expected = reference.at(name);
    Flat flat(type, expected.at("options").at("lr").get<double>());
    const auto optimizer = make(component, given);
    optimizer->initialize(flat.parameters);
    const auto groups = split ? flat.two_groups() : flat.one_group();
    for (std::int64_t t = 0; t < 12; ++t) {
      INFO("step " << t);
      flat.set_gradients(t);
      optimizer->step(groups, scalars());
      compare(flat, expected.at("l2_after_step").at(static_cast<std::size_t>(t)), tolerance);
    }
    for (const char part : {'a', 'b'}) {
      const auto values = expected.at("final").at(std::string(1, part)).get<std::vector<double>>();
      const auto worst =
          (flat.part(part).to(at::kDouble) - at::tensor(values, at::kDouble)).abs().max();
      CHECK(worst.item<double>() < tolerance);
    }
  }
}

/// True when both hold the same bits: -0 differs from 0, and a NaN equals itself.
bool same_bits(const at::Tensor& x, const at::Tensor& y) {
  return at::equal(x.view(at::kInt), y.view(at::kInt));
}

const std::vector<Case> all_kinds = [] {
  auto all = cases;
  all.push_back({"", "sgd", {{"momentum", 0.9}, {"dampening", 0.5}}});
  all.push_back({"", "nadam", {{"weight_decay", 0.1}, {"decoupled_weight_decay", true}}});
  all.push_back({"", "radam", {{"weight_decay", 0.1}, {"decoupled_weight_decay", true}}});
  all.push_back({"", "adamax", {{"eps", 0.0}}});
  all.push_back({"", "rmsprop", {{"centered", true}, {"momentum", 0.9}}});
  all.push_back({"", "adagrad", {{"eps", 0.0}, {"lr_decay", 0.1}}});
  all.push_back({"", "lamb", {{"always_adapt", true}, {"trust_clip", true}}});
  all.push_back({"", "lars", {{"always_adapt", true}, {"nesterov", true}, {"momentum", 0.9}}});
  return all;
}();

}  // namespace

TEST_CASE("optimizers agree with torch's in float64") {
  BCX_NEEDS_SHARED("parity/optimizers.json");
  meet_reference(at::kDouble, 1e-9, false);
}

TEST_CASE("optimizers agree with torch's in float32, over two groups") {
  BCX_NEEDS_SHARED("parity/optimizers.json");
  meet_reference(at::kFloat, 1e-5, true);
}

TEST_CASE("dampening leaves the first step whole and damps the others") {
  Flat flat(at::kDouble, 0.05);
  const auto optimizer = make("sgd", {{"momentum", 0.9}, {"dampening", 0.3}});
  optimizer->initialize(flat.parameters);
  at::Tensor expected = flat.parameters.clone(), buffer;
  for (std::int64_t t = 0; t < 5; ++t) {
    flat.set_gradients(t);
    buffer = t == 0 ? flat.gradients.clone() : buffer * 0.9 + flat.gradients * 0.7;
    expected = expected - buffer * 0.05;
    optimizer->step(flat.one_group(), scalars());
    CHECK(at::allclose(flat.parameters, expected, 0.0, 1e-15));
  }
}

TEST_CASE("a skipped step leaves parameters and state as they were, bit for bit") {
  for (const auto& [name, component, given] : all_kinds) {
    INFO(component << " " << name);
    Flat flat(at::kFloat, 0.01);
    flat.parameters[40] = -0.0F;
    const auto optimizer = make(component, given);
    optimizer->initialize(flat.parameters);
    const auto groups = flat.two_groups();
    flat.set_gradients(0);
    optimizer->step(groups, scalars());

    std::vector<at::Tensor> before{flat.parameters.clone()};
    for (const auto& state : optimizer->state()) before.push_back(state.tensor.clone());
    flat.gradients.fill_(std::numeric_limits<float>::quiet_NaN());
    optimizer->step(groups, scalars(/*skip=*/true));

    CHECK(same_bits(flat.parameters, before[0]));
    std::size_t index = 1;
    for (const auto& state : optimizer->state()) CHECK(same_bits(state.tensor, before[index++]));
  }
}

TEST_CASE("state copied into another optimizer goes on to the same bits") {
  for (const auto& [name, component, given] : all_kinds) {
    INFO(component << " " << name);
    Flat first(at::kFloat, 0.01), second(at::kFloat, 0.01);
    const auto one = make(component, given), other = make(component, given);
    one->initialize(first.parameters);
    other->initialize(second.parameters);
    for (std::int64_t t = 0; t < 3; ++t) {
      first.set_gradients(t);
      one->step(first.one_group(), scalars());
    }
    second.parameters.copy_(first.parameters);
    const auto from = one->state(), to = other->state();
    REQUIRE(from.size() == to.size());
    for (std::size_t i = 0; i < from.size(); ++i) {
      CHECK(from[i].name == to[i].name);
      to[i].tensor.copy_(from[i].tensor);
    }
    for (Flat* flat : {&first, &second}) {
      flat->set_gradients(3);
      (flat == &first ? one : other)->step(flat->one_group(), scalars());
    }
    CHECK(same_bits(first.parameters, second.parameters));
  }
}

TEST_CASE("ranges outside the groups keep parameters and state, and padding stays zero") {
  for (const auto& [name, component, given] : all_kinds) {
    INFO(component << " " << name);
    Flat flat(at::kFloat, 0.01);
    const auto optimizer = make(component, given);
    optimizer->initialize(flat.parameters);
    const auto groups = flat.two_groups();
    const auto frozen = flat.part('a').clone();
    flat.set_gradients(0);
    optimizer->step(std::span(groups).subspan(1), scalars());
    CHECK(same_bits(flat.part('a'), frozen));
    for (const auto& state : optimizer->state())
      CHECK(state.tensor.narrow(0, 0, Flat::b_offset).count_nonzero().item<std::int64_t>() == 0);
    for (const auto& state : optimizer->state()) CHECK(state.tensor.isfinite().all().item<bool>());
    const auto padding = flat.parameters.narrow(0, Flat::b_offset + Flat::b_size, 5);
    CHECK(padding.count_nonzero().item<std::int64_t>() == 0);
  }
}

TEST_CASE("a group's multiplier switches weight decay off for it") {
  for (const auto& component :
       bcx::test::source_catalog().names(bcx::config::ComponentKind::optimizer)) {
    INFO(component);
    Flat with(at::kFloat, 0.01), without(at::kFloat, 0.01);
    auto groups = with.one_group();
    groups[0].weight_decay = 0.0;
    const auto decaying = make(component, {{"weight_decay", 0.1}});
    const auto plain = make(component, {{"weight_decay", 0.0}});
    decaying->initialize(with.parameters);
    plain->initialize(without.parameters);
    with.set_gradients(0);
    without.set_gradients(0);
    decaying->step(groups, scalars());
    plain->step(without.one_group(), scalars());
    CHECK(same_bits(with.parameters, without.parameters));
  }
}

TEST_CASE("the number of threads does not change a bit") {
  // Norms are summed in another order: layer-wise rules follow within float32's precision.
  const auto same = [](const std::string& component, const at::Tensor& x, const at::Tensor& y) {
    return component == "lamb" || component == "lars" ? at::allclose(x, y, 1e-5, 1e-7)
                                                      : same_bits(x, y);
  };
  constexpr std::int64_t size = (1 << 18) + 48;
  const int usual = at::get_num_threads();
  for (const auto& [name, component, given] : all_kinds) {
    INFO(component << " " << name);
    std::vector<at::Tensor> results;
    for (const int threads : {1, 2, 3}) {
      at::set_num_threads(threads);
      ParameterGroup group;
      group.parameters = at::arange(size, at::kFloat).sin();
      group.learning_rate = scalar(0.01);
      group.step = scalar(0);
      group.segments = {{"w", 0, size, {size}}};
      group.segment_sizes = at::full({1}, size, at::kLong);
      const auto optimizer = make(component, given);
      optimizer->initialize(group.parameters);
      for (std::int64_t t = 1; t <= 2; ++t) {
        group.step.fill_(static_cast<double>(t));
        group.gradients = at::cos(group.parameters * static_cast<double>(t));
        optimizer->step(std::span(&group, 1), scalars());
      }
      results.push_back(group.parameters);
    }
    CHECK(same(component, results[0], results[1]));
    CHECK(same(component, results[0], results[2]));
  }
  at::set_num_threads(usual);
}

TEST_CASE("NAdam's product of momenta is that of its factors, also after many steps") {
  // One parameter whose gradient is 1 from step 3,000 on, by the formulas in float64.
  const double beta1 = 0.9, beta2 = 0.999, rate = 0.01, t = 3000;
  double product = 1;
  const auto momentum = [&](double i) { return beta1 * (1 - 0.5 * std::pow(0.96, i * 0.004)); };
  for (int i = 1; i <= 3000; ++i) product *= momentum(i);
  const double m = 1 - beta1, v = (1 - beta2) / (1 - std::pow(beta2, t));
  const double expected =
      rate *
      ((1 - momentum(t)) / (1 - product) + momentum(t + 1) / (1 - product * momentum(t + 1)) * m) /
      (std::sqrt(v) + 1e-8);
  ParameterGroup group;
  group.parameters = at::zeros({8}, at::kDouble);
  group.gradients = at::ones({8}, at::kDouble);
  group.learning_rate = scalar(rate);
  group.step = scalar(t);
  const auto optimizer = make("nadam", {});
  optimizer->initialize(group.parameters);
  optimizer->step(std::span(&group, 1), scalars());
  CHECK(group.parameters[0].item<double>() == Approx(-expected).epsilon(1e-12));
}

TEST_CASE("groups with steps of their own are corrected by their own") {
  // b joins at the third step of a: its update is that of a first step.
  for (const char* component : {"adam", "adamw", "nadam", "radam", "adamax", "lamb"}) {
    INFO(component);
    Flat late(at::kDouble, 0.01), fresh(at::kDouble, 0.01);
    const auto one = make(component, {}), other = make(component, {});
    one->initialize(late.parameters);
    other->initialize(fresh.parameters);
    late.set_gradients(0);
    fresh.set_gradients(0);
    auto groups = late.two_groups();
    groups[0].step = scalar(3);
    one->step(groups, scalars());
    other->step(fresh.two_groups(), scalars());
    CHECK(at::equal(late.part('b'), fresh.part('b')));
    CHECK_FALSE(at::equal(late.part('a'), fresh.part('a')));
  }
}

TEST_CASE("sgd refuses Nesterov's momentum without momentum") {
  const char* text = "nesterov = true needs momentum above 0 and dampening = 0";
  for (const Values& given : {Values{{"nesterov", true}, {"momentum", 0.0}},
                              Values{{"nesterov", true}, {"momentum", 0.9}, {"dampening", 0.1}}}) {
    try {
      make("sgd", given);
      FAIL("accepted");
    } catch (const std::invalid_argument& error) {
      CHECK(std::string(error.what()) == text);
    }
  }
}
