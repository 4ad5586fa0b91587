// What happens to one pixel between the resident images and a network's input. The same functions
// run on a CPU (pixel_rows.cpp) and inside a CUDA kernel (pixel_kernels.cu): no LibTorch, no library.
#pragma once

#include <cstdint>

#ifdef __CUDACC__
#define BCX_HOST_DEVICE __host__ __device__
#else
#define BCX_HOST_DEVICE
#endif

namespace bcx::train {

/// 2x3 map from output pixel indexes to continuous source indexes.
struct PixelMap {
  float a, b, c, d, e, f;
  BCX_HOST_DEVICE bool identity() const {
    return a == 1 && b == 0 && c == 0 && d == 0 && e == 1 && f == 0;
  }
};

/// Turns a centred map in output pixels (row-major 2x3) into one over pixel indexes. The centre of
/// an n pixel wide picture lies at index (n - 1) / 2.
BCX_HOST_DEVICE inline PixelMap over_indexes(const float* m, std::int64_t out, std::int64_t height,
                                             std::int64_t width) {
  const float zoom_x = static_cast<float>(width) / static_cast<float>(out);
  const float zoom_y = static_cast<float>(height) / static_cast<float>(out);
  const float centre = static_cast<float>(out - 1) / 2;
  PixelMap p{m[0] * zoom_x, m[1] * zoom_x, m[2] * zoom_x,
             m[3] * zoom_y, m[4] * zoom_y, m[5] * zoom_y};
  p.c += static_cast<float>(width - 1) / 2 - centre * (p.a + p.b);
  p.f += static_cast<float>(height - 1) / 2 - centre * (p.d + p.e);
  return p;
}

BCX_HOST_DEVICE inline float between(float value, float low, float high) {
  return value < low ? low : high < value ? high : value;
}

/// Affine map of a pixel's 0..255, per channel.
struct PixelScale {
  float scale[3], shift[3];
};

/// Three channels of output pixel (x, y): bilinear, beyond the border the nearest pixel. `source`
/// is one image, uint8 [height, width, 3].
BCX_HOST_DEVICE inline void warp_pixel(const std::uint8_t* source, std::int64_t height,
                                       std::int64_t width, const PixelMap& map, float x, float y,
                                       const PixelScale& to, float* out) {
  const float sx = between(map.a * x + map.b * y + map.c, 0.0f, static_cast<float>(width - 1));
  const float sy = between(map.d * x + map.e * y + map.f, 0.0f, static_cast<float>(height - 1));
  const auto x0 = static_cast<std::int64_t>(sx), y0 = static_cast<std::int64_t>(sy);
  const float wx = sx - static_cast<float>(x0), wy = sy - static_cast<float>(y0);
  const std::int64_t right = x0 + 1 < width ? 3 : 0, below = y0 + 1 < height ? 3 * width : 0;
  const std::uint8_t* p = source + 3 * (y0 * width + x0);
  for (int c = 0; c < 3; ++c) {
    const float top = p[c] + wx * (static_cast<float>(p[right + c]) - p[c]);
    const float bottom =
        p[below + c] + wx * (static_cast<float>(p[below + right + c]) - p[below + c]);
    out[c] = (top + wy * (bottom - top)) * to.scale[c] + to.shift[c];
  }
}

/// The same where the map is the identity and the sizes agree.
BCX_HOST_DEVICE inline void convert_pixel(const std::uint8_t* in, const PixelScale& to,
                                          float* out) {
  for (int c = 0; c < 3; ++c) out[c] = static_cast<float>(in[c]) * to.scale[c] + to.shift[c];
}

/// A batch to be gathered, warped and normalised in one pass. Pointers into one memory, the CPU's
/// or a GPU's.
struct GatherWork {
  const std::uint8_t* pixels;   ///< [M, height, width, 3]
  const std::int64_t* indexes;  ///< [count]: which image each output is
  const float* inverse;         ///< [count, 2, 3], see ResidentImages::gather(); null: identity
  float* out;                   ///< [count, size, size, 3]
  std::int64_t count, height, width, size;
  PixelScale to;
};

/// One output pixel of image `n` of the batch.
BCX_HOST_DEVICE inline void gather_pixel(const GatherWork& work, std::int64_t n, std::int64_t y,
                                         std::int64_t x) {
  const float unchanged[6] = {1, 0, 0, 0, 1, 0};
  const auto map = over_indexes(work.inverse ? work.inverse + 6 * n : unchanged, work.size,
                                work.height, work.width);
  const std::uint8_t* source = work.pixels + work.indexes[n] * work.height * work.width * 3;
  float* out = work.out + ((n * work.size + y) * work.size + x) * 3;
  if (map.identity() && work.width == work.size && work.height == work.size)
    convert_pixel(source + (y * work.size + x) * 3, work.to, out);
  else
    warp_pixel(source, work.height, work.width, map, static_cast<float>(x), static_cast<float>(y),
               work.to, out);
}

}  // namespace bcx::train
