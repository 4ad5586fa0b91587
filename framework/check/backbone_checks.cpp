// What a backbone owes its host (bcx/sdk/backbone.h).

#include "bcx/sdk/backbone.h"

#include <ATen/autocast_mode.h>
#include <fmt/ranges.h>
#include <torch/utils.h>

#include <algorithm>
#include <cmath>

#include "check/checks.h"
#include "check/parameters_check.h"
#include "check/tensors.h"
#include "model/products.h"

namespace bcx::check {
namespace {

using config::ComponentSpec;
using sdk::Backbone;
using sdk::Features;

using Module = std::shared_ptr<Backbone>;

Module made(const ComponentSpec& spec, std::uint64_t seed = 1) {
  at::manual_seed(seed);
  return build<Backbone>(spec);
}

at::Tensor images(std::int64_t n, std::int64_t height, std::int64_t width) {
  return at::randn({n, 3, height, width}, generator(7)).contiguous(at::MemoryFormat::ChannelsLast);
}

// Large enough that a batch normalisation sees more than a few values of each channel.
std::int64_t usual_size(const Backbone& backbone) {
  return std::max<std::int64_t>(backbone.smallest_size(), 64);
}

at::Tensor usual_images(const Backbone& backbone) {
  return images(2, usual_size(backbone), usual_size(backbone));
}

void require_features(const Features& features, std::int64_t n, std::int64_t channels) {
  const auto& [map, tokens, pooled] = features;
  require(map.defined() && map.dim() == 4 && map.size(0) == n && map.size(1) == channels &&
              map.size(2) > 0 && map.size(3) > 0,
          fmt::format("map is {}, expected [{}, {}, h, w]", shape_text(map), n, channels),
          "channels() says what forward() returns");
  require(!tokens.defined() || (tokens.dim() == 3 && tokens.size(0) == n && tokens.size(1) > 0 &&
                                tokens.size(2) == channels),
          fmt::format("tokens are {}, expected [{}, T, {}]", shape_text(tokens), n, channels));
  require(
      !pooled.defined() || (pooled.dim() == 2 && pooled.size(0) == n && pooled.size(1) == channels),
      fmt::format("pooled is {}, expected [{}, {}]", shape_text(pooled), n, channels));
  for (const auto& x : {map, tokens, pooled})
    require(!x.defined() || finite(x), "the features are not finite");
}

bool same_features(const Features& x, const Features& y) {
  return same_bits(x.map, y.map) && same_bits(x.tokens, y.tokens) && same_bits(x.pooled, y.pooled);
}

std::vector<std::pair<std::string, at::Tensor>> state_of(const Backbone& backbone) {
  std::vector<std::pair<std::string, at::Tensor>> state;
  for (const auto& item : backbone.named_parameters()) state.emplace_back(item.key(), item.value());
  for (const auto& item : backbone.named_buffers()) state.emplace_back(item.key(), item.value());
  return state;
}

std::vector<at::Tensor> copies(const std::vector<at::Tensor>& tensors) {
  std::vector<at::Tensor> result;
  for (const auto& x : tensors) result.push_back(x.detach().clone());
  return result;
}

bool same_all(const std::vector<at::Tensor>& x, const std::vector<at::Tensor>& y) {
  return x.size() == y.size() && std::equal(x.begin(), x.end(), y.begin(), same_bits);
}

std::string parameters(const ComponentSpec& spec) {
  const torch::NoGradGuard no_grad;
  return check_parameters<Backbone>(spec, [](Backbone& backbone) {
    backbone.train();
    auto context = model_context();
    require_features(backbone.forward(usual_images(backbone), context), 2, backbone.channels());
  });
}

std::string shapes(const ComponentSpec& spec) {
  const torch::NoGradGuard no_grad;
  const auto backbone = made(spec);
  backbone->eval();
  const auto smallest = backbone->smallest_size();
  require(smallest >= 1, fmt::format("smallest_size() is {}", smallest));
  require(backbone->channels() >= 1, fmt::format("channels() is {}", backbone->channels()));
  const auto [mean, std] = backbone->normalization();
  for (std::size_t c = 0; c < 3; ++c)
    require(std::isfinite(mean[c]) && std::isfinite(std[c]) && std[c] > 0,
            "normalization() has a standard deviation that is not above 0");
  std::vector<std::string> tried;
  const auto usual = usual_size(*backbone);
  for (const auto& [h, w] : std::vector<std::pair<std::int64_t, std::int64_t>>{
           {smallest, smallest}, {smallest + 1, smallest + 1}, {usual, usual}, {usual, usual + 16}})
    for (const std::int64_t n : {1, 2}) {
      auto context = model_context();
      try {
        const auto features = backbone->forward(images(n, h, w), context);
        require_features(features, n, backbone->channels());
        if (n == 2)
          tried.push_back(
              fmt::format("{} x {} to {} x {}", h, w, features.map.size(2), features.map.size(3)));
      } catch (const Error& error) {
        throw Error(ExitCode::plugin,
                    {fmt::format("with {} of {} x {} pixels: {}", n, h, w, error.parts().what),
                     {},
                     error.parts().remedy});
      } catch (const std::exception& error) {
        if (h % smallest != 0 && h < usual) {  // a network of patches may take whole ones alone
          if (n == 2) tried.push_back(fmt::format("{} x {} refused", h, w));
          continue;
        }
        throw Error(ExitCode::plugin,
                    {fmt::format("with {} of {} x {} pixels: threw: {}", n, h, w,
                                 split(error.what(), '\n').front()),
                     {},
                     "smallest_size() says from which size on every image is taken"});
      }
    }
  tried.erase(std::unique(tried.begin(), tried.end()), tried.end());
  return fmt::format("{} channels; {} pixels", backbone->channels(), fmt::join(tried, ", "));
}

std::string precision(const ComponentSpec& spec) {
  const torch::NoGradGuard no_grad;
  const auto backbone = made(spec);
  backbone->eval();
  const auto input = usual_images(*backbone);
  {
    at::autocast::set_autocast_enabled(at::kCPU, true);
    at::autocast::set_autocast_dtype(at::kCPU, at::kBFloat16);
    auto context = model_context();
    require_features(backbone->forward(input, context), 2, backbone->channels());
    at::autocast::clear_cache();
    at::autocast::set_autocast_enabled(at::kCPU, false);
  }
  backbone->to(at::kDouble);
  auto context = model_context();
  const auto features = backbone->forward(input.to(at::kDouble), context);
  require_features(features, 2, backbone->channels());
  require(features.map.scalar_type() == at::kDouble,
          fmt::format("makes {} of float64 images", c10::toString(features.map.scalar_type())),
          "create tensors with the options of the input");
  return "float32, float64 and bfloat16 autocast";
}

// In float64, so that the order of sums does not matter.
std::string batches(const ComponentSpec& spec) {
  const torch::NoGradGuard no_grad;
  const auto backbone = made(spec);
  backbone->to(at::kDouble);
  backbone->eval();
  const auto input = usual_images(*backbone).to(at::kDouble);
  auto context = model_context();
  const auto both = backbone->forward(input, context).map;
  for (const std::int64_t i : {0, 1}) {
    const auto alone = backbone->forward(input.narrow(0, i, 1), context).map;
    require(at::allclose(both.narrow(0, i, 1), alone, 1e-6, 1e-8),
            "in evaluation an image's features depend on the others in its batch",
            "use running statistics when is_training() is false");
  }
  return "in evaluation each image stands alone";
}

// Parameters that are initialised to zero on purpose would hide others.
void perturb(Backbone& backbone) {
  const torch::NoGradGuard no_grad;
  auto random = generator(3);
  for (auto& parameter : backbone.parameters())
    parameter.add_(at::randn(parameter.sizes(), random, parameter.options()), 0.02);
}

at::Tensor some_loss(const Features& features) {
  at::Tensor loss = at::zeros({});
  for (const auto& x : {features.map, features.tokens, features.pooled})
    if (x.defined()) loss = loss + (x * at::randn(x.sizes(), generator(5))).mean();
  require(loss.requires_grad(), "the features do not depend on any parameter",
          "register parameters and compute with them, not with copies");
  return loss;
}

// How many parameters are trained; `missed` are those that no gradient has reached.
std::size_t count_gradients(const Backbone& backbone, std::vector<std::string>& missed) {
  std::size_t count = 0;
  missed.clear();
  for (const auto& item : backbone.named_parameters()) {
    if (!item.value().requires_grad()) continue;
    ++count;
    const auto& gradient = item.value().grad();
    require(!gradient.defined() || finite(gradient),
            fmt::format("the gradient of {} is not finite", item.key()));
    if (!gradient.defined() || gradient.count_nonzero().item<std::int64_t>() == 0)
      missed.push_back(item.key());
  }
  return count;
}

std::string gradients(const ComponentSpec& spec) {
  const auto backbone = made(spec);
  perturb(*backbone);
  backbone->train();
  const auto size = usual_size(*backbone);
  auto context = model_context();
  std::vector<std::string> missed;
  std::size_t count = 0;
  // Stochastic depth leaves whole blocks out of a step; it rarely leaves one out of eight.
  for (int step = 0; step < 8 && (step == 0 || !missed.empty()); ++step) {
    some_loss(backbone->forward(images(size > 96 ? 2 : 4, size, size), context)).backward();
    count = count_gradients(*backbone, missed);
  }
  const auto all = missed.size();
  missed.resize(std::min<std::size_t>(all, 4));
  require(all == 0,
          fmt::format("no gradient reaches {} of {} parameters: {}{}", all, count,
                      fmt::join(missed, ", "), all > missed.size() ? ", ..." : ""),
          "use them in forward(), or do not register them");
  return fmt::format("reach all {} parameters", count);
}

std::string seed(const ComponentSpec& spec) {
  const auto first = copies(made(spec, 1)->parameters()),
             again = copies(made(spec, 1)->parameters()),
             other = copies(made(spec, 2)->parameters());
  require(!first.empty(), "registers no parameters", "use register_parameter() or sdk::add()");
  require(same_all(first, again), "the same seed makes other parameters",
          "initialise from LibTorch's default generator, which the host seeds");
  require(!same_all(first, other), "another seed makes the same parameters",
          "initialise from LibTorch's default generator, which the host seeds");
  return "decides the parameters";
}

std::string state(const ComponentSpec& spec) {
  const torch::NoGradGuard no_grad;
  const auto from = made(spec, 1), to = made(spec, 2);
  perturb(*from);
  from->train();
  auto context = model_context();
  from->forward(usual_images(*from), context);  // running statistics move
  const auto source = state_of(*from), target = state_of(*to);
  require(source.size() == target.size(), "two objects have different parameters and buffers");
  for (std::size_t i = 0; i < source.size(); ++i) {
    require(
        source[i].first == target[i].first && source[i].second.sizes() == target[i].second.sizes(),
        fmt::format("two objects differ in {}", source[i].first));
    target[i].second.detach().copy_(source[i].second);
  }
  from->eval();
  to->eval();
  const auto input = usual_images(*from);
  require(same_features(from->forward(input, context), to->forward(input, context)),
          "parameters and buffers copied into another object do not make it the same",
          "register everything that decides the output, and keep no copies");
  return fmt::format("all of it in {} parameters and buffers", source.size());
}

std::string modes(const ComponentSpec& spec) {
  const torch::NoGradGuard no_grad;
  const auto backbone = made(spec);
  const auto input = usual_images(*backbone), untouched = input.clone();
  const auto parameters = copies(backbone->parameters());
  backbone->eval();
  const auto buffers = copies(backbone->buffers());
  auto context = model_context();
  const auto first = backbone->forward(input, context), again = backbone->forward(input, context);
  require(same_features(first, again), "in evaluation the same images give other features",
          "is_training() says whether dropout is on");
  require(same_all(buffers, copies(backbone->buffers())), "evaluation changes buffers",
          "update running statistics only when is_training()");
  backbone->train();
  backbone->forward(input, context);
  require(same_all(parameters, copies(backbone->parameters())), "forward() changes parameters",
          "they belong to the optimizer");
  require(same_bits(input, untouched), "forward() changes its input", "work on a new tensor");
  return "evaluation repeats itself and changes nothing";
}

std::string randomness(const ComponentSpec& spec) {
  const torch::NoGradGuard no_grad;
  for_each_variation<Backbone>(spec, [](Backbone& backbone) {
    backbone.train();
    const auto input = usual_images(backbone);
    const auto before = default_generator_state();
    auto one = model_context(11), same = model_context(11);
    const auto first = backbone.forward(input, one), again = backbone.forward(input, same);
    require_untouched_generator(before, "use sdk::dropout() and sdk::drop_path() with the context");
    require(same_features(first, again),
            "in training the same images and the same context's seed give other features",
            "draw from context.generator alone");
  });
  return "from the context's generator alone";
}

std::string published(const ComponentSpec& spec) {
  const torch::NoGradGuard no_grad;
  const auto backbone = made(spec);
  try {
    backbone->add_published_classifier();
  } catch (const std::runtime_error& error) {
    require(spec.facts.weights.empty(),
            fmt::format("has published weights, but no classifier for them: {}",
                        split(error.what(), '\n').front()),
            "override add_published_classifier() and published_logits()");
    return "none";
  }
  backbone->eval();
  auto context = model_context();
  const auto logits =
      backbone->published_logits(backbone->forward(usual_images(*backbone), context), context);
  require(logits.defined() && logits.sizes() == at::IntArrayRef({2, 1000}),
          fmt::format("published_logits() returned {}, expected [2, 1000]", shape_text(logits)));
  require(finite(logits), "the published classifier's logits are not finite");
  return "a classifier of 1000 classes";
}

template <typename T>
void compare_fact(const char* name, const std::optional<T>& said, T found, std::int64_t& count) {
  if (!said) return;
  ++count;
  require(*said == found, fmt::format("plugin.toml says {} = {}, it is {}", name, *said, found),
          "correct [component.facts]");
}

/// Products are counted where LibTorch computes them. What a component computes by operations of
/// its own is not seen, so a parameter `fused` is turned off.
std::shared_ptr<sdk::Backbone> without_fused(const ComponentSpec& spec) {
  auto values = variations(spec).front().values;
  if (const auto fused = values.find("fused"); fused != values.end()) fused->second = false;
  return build<sdk::Backbone>(spec, values);
}

std::string facts(const ComponentSpec& spec) {
  const torch::NoGradGuard no_grad;
  const auto& said = spec.facts;
  const auto backbone = made(spec);
  backbone->eval();
  std::int64_t count = 0, parameters = 0;
  for (const auto& parameter : backbone->parameters()) parameters += parameter.numel();
  compare_fact("parameters", said.parameters, parameters, count);
  compare_fact("channels", said.channels, backbone->channels(), count);
  compare_fact("smallest_size", said.smallest_size, backbone->smallest_size(), count);
  if (said.gmacs_224) {
    ++count;
    auto context = model_context();
    const auto input = images(1, 224, 224);
    const auto plain = without_fused(spec);
    plain->eval();
    const model::ProductTrace counted;
    plain->forward(input, context);
    const double found = static_cast<double>(counted.multiply_accumulates()) * 1e-9;
    require(
        std::abs(found - *said.gmacs_224) <= std::max(0.01 * *said.gmacs_224, 0.005),
        fmt::format("plugin.toml says gmacs_224 = {}, counted were {:.3f}", *said.gmacs_224, found),
        "correct [component.facts]");
  }
  return count == 0 ? "none given" : fmt::format("{} of plugin.toml agree", count);
}

std::string lifetime(const ComponentSpec& spec) {
  auto first = made(spec, 1), second = made(spec, 2);
  auto context = model_context();
  auto features = first->forward(usual_images(*first), context);
  first.reset();  // what it returned stays
  require_features(features, 2, second->channels());
  second.reset();
  return "objects go before their results, and the process ends well";
}

}  // namespace

std::vector<Check> backbone_checks(const ComponentSpec& spec) {
  const auto with = [&spec](std::string (*check)(const ComponentSpec&)) {
    return [&spec, check] { return check(spec); };
  };
  return {{"parameters", with(parameters)}, {"shapes", with(shapes)},
          {"precision", with(precision)},   {"batches", with(batches)},
          {"gradients", with(gradients)},   {"seed", with(seed)},
          {"state", with(state)},           {"modes", with(modes)},
          {"randomness", with(randomness)}, {"published", with(published)},
          {"facts", with(facts)},           {"lifetime", with(lifetime), Ending::normal}};
}

}  // namespace bcx::check
