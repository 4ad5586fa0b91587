// references.safetensors: what torchvision, scikit-image and torchstain make of small pictures
// (tools/fixtures/make_augmentations.py).
#pragma once

#include <ATen/ATen.h>

#include <cstring>

#include "tests/catch.h"
#include "weights/safetensors.h"

namespace bcx::test {

inline at::Tensor reference(const std::string& name) {
  static const auto file = weights::SafetensorsFile::open(
      source_dir() / "tests/integration/augmentations/references.safetensors");
  const auto* view = file.find(name);
  if (!view) throw std::runtime_error("there is no reference " + name);
  const auto type = view->dtype == weights::DType::u8    ? at::kByte
                    : view->dtype == weights::DType::f32 ? at::kFloat
                    : view->dtype == weights::DType::f64 ? at::kDouble
                                                         : at::kLong;
  const auto tensor = at::empty(view->shape, type);
  std::memcpy(tensor.data_ptr(), view->bytes.data(), view->bytes.size());
  return tensor;
}

}  // namespace bcx::test
