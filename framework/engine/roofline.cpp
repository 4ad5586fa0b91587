#include "engine/roofline.h"

#include <torch/utils.h>

#include "base/timing.h"
#include "engine/components.h"
#include "model/products.h"
#include "train/device.h"

namespace bcx::engine {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int repetitions = 7;

/// Work per second, `repetitions` times after one to warm up.
template <typename Work>
std::vector<double> rates(double amount, at::Device device, const Work& work) {
  std::vector<double> result;
  for (int i = -1; i < repetitions; ++i) {
    train::synchronize(device);
    const auto begun = Clock::now();
    work();
    train::synchronize(device);
    if (i >= 0) result.push_back(amount / seconds_since(begun));
  }
  return result;
}

/// Products of the network without fused operations, which do not show them, for one image.
std::vector<model::Product> products_of(const BenchRequest& request) {
  auto plain = request.experiment;
  auto& params = plain.model.backbone.params;
  if (const auto fused = params.find("fused"); fused != params.end()) fused->second = false;
  const auto classifier = build_classifier(plain, request.catalog, 2);
  const auto size = plain.data.image_size;
  const auto image = at::zeros({1, 3, size, size}).contiguous(at::MemoryFormat::ChannelsLast);
  const torch::NoGradGuard no_grad;
  classifier.object->eval();
  sdk::ModelContext context;
  const model::ProductTrace trace;
  classifier.site("one image", [&] { classifier.object->forward(image, context); });
  return trace.products();
}

}  // namespace

MachineRates machine_rates(at::Device device) {
  const bool gpu = !device.is_cpu();
  const auto from = at::ones({(gpu ? 512 : 64) << 20}, at::TensorOptions(device));
  const auto to = at::empty_like(from);
  MachineRates machine;
  machine.copy = {"memory copied (read and written)", "GB/s",
                  rates(2e-9 * static_cast<double>(from.nbytes()), device, [&] { to.copy_(from); }),
                  true};
  const std::int64_t n = gpu ? 8192 : 2048;
  for (const auto type : {at::kFloat, at::kBFloat16}) {
    if (type == at::kBFloat16 && !gpu && !train::cpu_has_bf16()) continue;
    const auto options = at::TensorOptions(device).dtype(type);
    const auto a = at::ones({n, n}, options), b = at::ones({n, n}, options);
    auto c = at::empty({n, n}, options);
    const auto operations = 2e-9 * static_cast<double>(n) * static_cast<double>(n * n);
    machine.product.push_back({type == at::kFloat ? "matrix product, fp32" : "matrix product, bf16",
                               "GFLOP/s", rates(operations, device, [&] { at::mm_out(c, a, b); }),
                               true});
  }
  return machine;
}

std::vector<Measured> roofline(const BenchRequest& request, std::int64_t batch,
                               train::Precision precision, const MachineRates& machine,
                               double seconds) {
  const std::size_t rate = precision == train::Precision::fp32 ? 0 : 1;
  if (machine.product.size() <= rate) return {};
  const double flops_per_second = median(machine.product[rate].values) * 1e9;
  const double bytes_per_second = median(machine.copy.values) * 1e9;
  const double element = precision == train::Precision::fp32 ? 4 : 2;
  const double passes = request.training ? 3 : 1;
  double arithmetic = 0, bytes = 0, least = 0;
  for (const auto& product : products_of(request)) {
    const double computing =
        2.0 * static_cast<double>(product.multiply_accumulates * batch) / flops_per_second;
    const double moved =
        element * static_cast<double>(product.activations * batch + product.weights);
    arithmetic += passes * computing;
    bytes += passes * moved;
    least += passes * std::max(computing, moved / bytes_per_second);
  }
  if (least == 0) return {};
  return {{"products' arithmetic, at that rate", "ms", {arithmetic * 1e3}, false},
          {"products' operands and results", "MB", {bytes * 1e-6}, false},
          {"roofline's floor", "ms", {least * 1e3}, false},
          {"time over the floor", "times", {seconds / least}, false}};
}

}  // namespace bcx::engine
