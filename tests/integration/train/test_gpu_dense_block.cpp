// DenseNet's block on a GPU: each CUDA kernel against its twin on the CPU, the block against the
// plain one. tests/parity/dense_block has what needs no GPU.
#include "gpu_block.h"
#include "gpu_launcher.h"
#include "tests/parity/dense_block/rig.h"
#include "train/device.h"

namespace gpu = densenet::gpu;
using namespace bcx::test;

namespace {

using Results = std::map<std::string, at::Tensor>;

/// Every pass once, over the last 96 of 128 channels of a map where it takes them from a wider one.
template <typename T>
Results passes(const gpu::PassKernels<T>& kernels, at::Device device) {
  using A = densenet::Accumulate<T>;
  const auto type = c10::CppTypeToScalarType<T>::value;
  const auto map = [&](const char* name, std::int64_t channels) {
    return (2 * fill_uniform(name, {3, channels, 31, 29}) - 0.7)
        .to(at::kBFloat16)  // the same numbers in every type
        .to(device, type)
        .contiguous(channels_last);
  };
  const auto numbers = [&](const char* name, std::int64_t rows) {
    return (fill_uniform(name, {rows, 128}) + 0.1)
        .to(at::kBFloat16)  // no product with a map is rounded, so signs are the same everywhere
        .to(device, c10::CppTypeToScalarType<A>::value);
  };
  const auto rows = [](const at::Tensor& of, std::int64_t from) {
    return densenet::rows_of<T>(of).from(0, from);
  };
  const auto in = [&](const at::Tensor& of, std::int64_t from) {
    return densenet::Rows<const T>{rows(of, from).data, of.size(1)};
  };
  const auto wide = map("wide", 128), gradient = map("gradient", 96), total = map("total", 128);
  const auto copied = map("copied", 128), made = map("made", 96), finished = map("finished", 96);
  const auto states = numbers("states", 9), taken = numbers("taken", 4);
  const auto statistics = numbers("statistics", 3);
  const auto arrays = [](const at::Tensor& of, std::int64_t row) { return gpu::array<A>(of, row); };
  const gpu::Launcher<T> launch(kernels, wide);
  const gpu::Norm<A> norm{arrays(states, 0), arrays(states, 1), arrays(states, 2),
                          arrays(states, 3)};
  const T* pivot = in(wide, 32).from(100).data;

  const auto measured = launch.sums(kernels.measure, {in(wide, 32), pivot, rows(copied, 32)}, 96);
  launch.over_channels(kernels.prepare_norm,
                       {launch.rows,
                        32,
                        pivot,
                        1e-5,
                        0.1,
                        {arrays(statistics, 0), arrays(statistics, 1), arrays(statistics, 2)},
                        arrays(states, 0),
                        arrays(states, 1),
                        arrays(states, 5),
                        arrays(states, 6),
                        arrays(states, 7),
                        arrays(states, 8)},
                       measured, 32);
  const auto activations = launch.normalised(wide, 128, arrays(states, 5), arrays(states, 6));
  const auto sums = launch.sums(kernels.relu_gradient,
                                {in(gradient, 0), in(wide, 32), norm, rows(total, 32)}, 96);
  launch.over_channels(kernels.settle_gradient,
                       {launch.rows, arrays(states, 0), /*add=*/true, arrays(taken, 0),
                        arrays(taken, 1), arrays(taken, 2), arrays(taken, 3)},
                       sums, 0);
  launch.over_map(
      kernels.norm_gradient,
      {in(gradient, 0), in(wide, 32), norm, arrays(taken, 0), arrays(taken, 1), rows(made, 0)}, 96);
  launch.over_map(kernels.finish_gradient,
                  {in(total, 32), in(wide, 32), arrays(states, 2), arrays(states, 3),
                   arrays(taken, 0), arrays(taken, 1), rows(finished, 0)},
                  96);
  return {{"copied", copied}, {"statistics", statistics},
          {"states", states}, {"activations", activations},
          {"total", total},   {"taken", taken},
          {"made", made},     {"finished", finished}};
}

void check_near(const Results& got, const Results& expected, double allowed) {
  for (const auto& [name, of] : expected) {
    INFO(name);
    CHECK(difference(got.at(name), of) < allowed);
  }
}

template <typename T>
void check_kernels(const gpu::PassKernels<T>& cuda, const gpu::PassKernels<T>& host,
                   at::Device device, double allowed) {
  CAPTURE(c10::CppTypeToScalarType<T>::value);
  const auto of_cuda = passes(cuda, device);
  check_near(of_cuda, passes(host, at::kCPU), allowed);
  const auto again = passes(cuda, device);
  for (const auto& [name, of] : of_cuda) CHECK(at::equal(again.at(name), of));
}

Left trained(bool fused, at::ScalarType type, at::Device device) {
  const auto block = make_block(kGrowth48, fused, type, /*kinks=*/type == at::kDouble);
  block->to(device);
  return train(*block, input({3, 96, 15, 13}, type).to(device));
}

}  // namespace

TEST_CASE("a dense block's CUDA kernels do what their twins on the CPU do") {
  const auto& host = gpu::kHostKernels;
  const auto exact = passes(host.of_double, at::kCPU);
  check_near(passes(host.of_float, at::kCPU), exact, 1e-4);
  check_near(passes(host.of_half, at::kCPU), exact, 0.02);
  check_near(passes(host.of_bfloat16, at::kCPU), exact, 0.1);

  const auto device = bcx::train::resolve_device("auto");
  if (device.is_cpu()) BCX_SKIP("there is no GPU");
  const auto* cuda = gpu::cuda_kernels();
  if (!cuda) BCX_SKIP("built without nvcc");
  // A GPU multiplies and adds with one rounding: the last digit of the map's type may be another.
  check_kernels(cuda->of_double, host.of_double, device, 1e-12);
  check_kernels(cuda->of_float, host.of_float, device, 1e-4);
  check_kernels(cuda->of_half, host.of_half, device, 0.02);
  check_kernels(cuda->of_bfloat16, host.of_bfloat16, device, 0.1);
}

TEST_CASE("a dense block on a GPU trains as the plain one there") {
  const auto device = bcx::train::resolve_device("auto");
  if (device.is_cpu()) BCX_SKIP("there is no GPU");
  const auto truth = trained(false, at::kDouble, device);
  check_all(trained(true, at::kDouble, device), truth,
            [](const auto&, const auto& got, const auto& expected) {
              CHECK(difference(got, expected) < 1e-10);
            });
  Left smooth;
  {
    const auto block = make_block(kGrowth48, false, at::kDouble, /*kinks=*/false);
    smooth = train(*block, input({3, 96, 15, 13}, at::kFloat).to(at::kDouble));
  }
  check_all(trained(true, at::kFloat, device), trained(false, at::kFloat, device),
            [&](const auto& name, const auto& got, const auto& expected) {
              const double of_plain = difference(expected, smooth.at(name));
              CHECK(difference(got, smooth.at(name)) < std::max(1e-5, 1.5 * of_plain));
            });
}
