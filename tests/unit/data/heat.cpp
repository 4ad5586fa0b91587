#include "data/heat.h"

#include <cmath>

#include "tests/catch.h"

using namespace bcx::data;

TEST_CASE("a map without anything leaves the picture, one with a peak colours around it") {
  const Image grey(8, 8, 100);
  const std::vector<float> nothing(4, 0.0f);
  CHECK(with_heat(grey.view(), nothing, 2, 2).rgb == grey.rgb);
  const std::vector<float> negative{-1, -2, std::nanf(""), 0};
  CHECK(with_heat(grey.view(), negative, 2, 2).rgb == grey.rgb);

  const std::vector<float> peak{0, 0, 0, 5};
  const auto heated = with_heat(grey.view(), peak, 2, 2);
  const auto pixel = [&](std::size_t y, std::size_t x) { return &heated.rgb[(y * 8 + x) * 3]; };
  // Upper left: nothing. Lower right corner, beyond the cell's centre: 100 + 0.7 * (colour - 100).
  CHECK(pixel(0, 0)[0] == 100);
  CHECK(std::abs(pixel(7, 7)[0] - 208.5) <= 1);  // of 255
  CHECK(std::abs(pixel(7, 7)[1] - 194.5) <= 1);  // of 235
  CHECK(int{pixel(7, 7)[2]} == 30);              // of 0
  // Halfway between the cells' centres the value is a quarter (both directions).
  CHECK(pixel(3, 3)[2] < 100);
  CHECK(pixel(3, 3)[2] > pixel(7, 7)[2]);
}

TEST_CASE("the scale of a map does not matter") {
  const Image grey(5, 7, 180);
  const std::vector<float> map{1, 2, 3, 0.5f, 0, 1}, larger{100, 200, 300, 50, 0, 100};
  CHECK(with_heat(grey.view(), map, 2, 3).rgb == with_heat(grey.view(), larger, 2, 3).rgb);
}
