// DenseNet201 in C++ as LibTorch's own tutorials would have it: torch::nn modules, a list of features
// that is concatenated in every layer, torch::optim::Adam; under autocast, channels-last.
// Built and started by tools/peers/compare: BATCH THREADS STEPS fp32|bf16 train|infer
#include <ATen/autocast_mode.h>
#include <torch/torch.h>

#include <chrono>
#include <cstdio>
#include <string>

namespace nn = torch::nn;

struct DenseLayer : nn::Module {
  DenseLayer(int64_t channels)
      : norm1(channels),
        conv1(nn::Conv2dOptions(channels, 128, 1).bias(false)),
        norm2(128),
        conv2(nn::Conv2dOptions(128, 32, 3).padding(1).bias(false)) {
    register_module("norm1", norm1);
    register_module("conv1", conv1);
    register_module("norm2", norm2);
    register_module("conv2", conv2);
  }
  torch::Tensor forward(const std::vector<torch::Tensor>& features) {
    const auto x = conv1(torch::relu(norm1(torch::cat(features, 1))));
    return conv2(torch::relu(norm2(x)));
  }
  nn::BatchNorm2d norm1;
  nn::Conv2d conv1;
  nn::BatchNorm2d norm2;
  nn::Conv2d conv2;
};

struct DenseNet : nn::Module {
  DenseNet() {
    stem->push_back(nn::Conv2d(nn::Conv2dOptions(3, 64, 7).stride(2).padding(3).bias(false)));
    stem->push_back(nn::BatchNorm2d(64));
    stem->push_back(nn::ReLU());
    stem->push_back(nn::MaxPool2d(nn::MaxPool2dOptions(3).stride(2).padding(1)));
    register_module("stem", stem);
    int64_t channels = 64;
    for (const int count : {6, 12, 48, 32}) {
      const auto name = std::to_string(blocks.size());
      blocks.emplace_back();
      for (int i = 0; i < count; ++i, channels += 32)
        blocks.back().push_back(register_module("layer" + name + "_" + std::to_string(i),
                                                std::make_shared<DenseLayer>(channels)));
      nn::Sequential after;
      after->push_back(nn::BatchNorm2d(channels));
      after->push_back(nn::ReLU());
      if (blocks.size() < 4) {
        after->push_back(nn::Conv2d(nn::Conv2dOptions(channels, channels / 2, 1).bias(false)));
        after->push_back(nn::AvgPool2d(2));
        channels /= 2;
      }
      transitions.push_back(register_module("transition" + name, after));
    }
    linear = register_module("linear", nn::Linear(channels, 2));
  }
  torch::Tensor forward(const torch::Tensor& images) {
    auto x = stem->forward(images);
    for (size_t b = 0; b < blocks.size(); ++b) {
      std::vector<torch::Tensor> features{x};
      for (auto& layer : blocks[b]) features.push_back(layer->forward(features));
      x = transitions[b]->forward(torch::cat(features, 1));
    }
    return linear(torch::adaptive_avg_pool2d(x, {1, 1}).flatten(1));
  }
  nn::Sequential stem;
  std::vector<std::vector<std::shared_ptr<DenseLayer>>> blocks;
  std::vector<nn::Sequential> transitions;
  nn::Linear linear{nullptr};
};

int main(int argc, char** argv) {
  if (argc != 6) return 2;
  const int64_t batch = std::stoll(argv[1]), steps = std::stoll(argv[3]);
  at::set_num_threads(std::stoi(argv[2]));
  const bool lower = argv[4] == std::string("bf16"), training = argv[5] == std::string("train");
  DenseNet model;
  model.train(training);
  for (auto& p : model.parameters())
    if (p.dim() == 4) p.set_data(p.contiguous(torch::MemoryFormat::ChannelsLast));
  const auto images = torch::randn({batch, 3, 224, 224}).contiguous(torch::MemoryFormat::ChannelsLast);
  const auto targets = torch::arange(batch) % 2;
  torch::optim::Adam optimizer(model.parameters(), torch::optim::AdamOptions(1e-4));
  const auto step = [&] {
    torch::AutoGradMode gradients(training);
    at::autocast::set_autocast_dtype(at::kCPU, at::kBFloat16);
    at::autocast::set_autocast_enabled(at::kCPU, lower);
    const auto logits = model.forward(images).to(torch::kFloat);
    at::autocast::clear_cache();
    at::autocast::set_autocast_enabled(at::kCPU, false);
    if (!training) return;
    const auto loss = torch::nn::functional::cross_entropy(logits, targets);
    optimizer.zero_grad();
    loss.backward();
    optimizer.step();
  };
  for (int i = 0; i < 3; ++i) step();
  std::printf("{\"step_ms\": [");
  for (int64_t i = 0; i < steps; ++i) {
    const auto start = std::chrono::steady_clock::now();
    step();
    const std::chrono::duration<double, std::milli> spent = std::chrono::steady_clock::now() - start;
    std::printf("%s%.3f", i ? ", " : "", spent.count());
  }
  std::printf("], \"version\": \"LibTorch %s\"}\n", TORCH_VERSION);
}
