// Products that a network calls, against arithmetic by hand.
#include "model/products.h"

#include <torch/types.h>

#include "tests/catch.h"

namespace bcx::test {

TEST_CASE("a convolution computes kernel times output, and moves its input, weights and output") {
  const auto x = at::zeros({2, 3, 10, 12}), weight = at::zeros({8, 3, 3, 3});
  const model::ProductTrace trace;
  at::conv2d(x, weight, {}, at::IntArrayRef{1, 1}, at::IntArrayRef{1, 1});
  REQUIRE(trace.products().size() == 1);
  const auto& product = trace.products().front();
  CHECK(product.multiply_accumulates == 2 * 8 * 10 * 12 * 3 * 9);
  CHECK(product.activations == 2 * 3 * 10 * 12 + 2 * 8 * 10 * 12);
  CHECK(product.weights == 8 * 3 * 9);
}

TEST_CASE("grouped convolutions read a part of the channels for each output") {
  const auto x = at::zeros({1, 6, 5, 5}), weight = at::zeros({6, 1, 3, 3});
  const model::ProductTrace trace;
  at::conv2d(x, weight, {}, at::IntArrayRef{1, 1}, at::IntArrayRef{1, 1}, at::IntArrayRef{1, 1}, 6);
  CHECK(trace.multiply_accumulates() == 6 * 5 * 5 * 9);
}

TEST_CASE("linear layers and products of activations are told apart") {
  const auto x = at::zeros({4, 5}), weight = at::zeros({7, 5}), bias = at::zeros({7});
  const auto queries = at::zeros({2, 3, 5}), keys = at::zeros({2, 5, 6});
  const model::ProductTrace trace;
  at::linear(x, weight, bias);
  at::bmm(queries, keys);
  at::relu(x);
  REQUIRE(trace.products().size() == 2);
  CHECK(trace.products()[0].multiply_accumulates == 4 * 7 * 5);
  CHECK(trace.products()[0].activations == 4 * 5 + 4 * 7);
  CHECK(trace.products()[0].weights == 7 * 5);
  CHECK(trace.products()[1].multiply_accumulates == 2 * 3 * 6 * 5);
  CHECK(trace.products()[1].activations == 2 * (3 * 5 + 5 * 6 + 3 * 6));
  CHECK(trace.products()[1].weights == 0);
}

}  // namespace bcx::test
