#include "check/tensors.h"

#include <ATen/CPUGeneratorImpl.h>
#include <fmt/ranges.h>

#include "check/subject.h"

namespace bcx::check {

std::string shape_text(const at::Tensor& x) {
  return x.defined() ? fmt::format("[{}]", fmt::join(x.sizes(), ", ")) : "nothing";
}

bool same_bits(const at::Tensor& x, const at::Tensor& y) {
  if (x.defined() != y.defined()) return false;
  if (!x.defined()) return true;
  if (x.scalar_type() != y.scalar_type() || x.sizes() != y.sizes()) return false;
  const auto bytes = [](const at::Tensor& t) {
    return t.detach().contiguous(at::MemoryFormat::Contiguous).flatten().view(at::kByte);
  };
  return at::equal(bytes(x), bytes(y));
}

bool finite(const at::Tensor& x) {
  return at::isfinite(x).all().item<bool>();
}

at::Generator generator(std::uint64_t seed) {
  return at::make_generator<at::CPUGeneratorImpl>(seed);
}

sdk::ModelContext model_context(std::uint64_t seed) {
  return {.generator = generator(seed)};
}

at::Tensor default_generator_state() {
  return at::globalContext().defaultGenerator(at::kCPU).get_state();
}

void require_untouched_generator(const at::Tensor& before, const std::string& remedy) {
  require(at::equal(before, default_generator_state()),
          "draws from LibTorch's default generator: a resumed run would differ", remedy);
}

}  // namespace bcx::check
