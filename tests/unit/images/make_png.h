// PNG files of any kind, made byte by byte: what no encoder would write is what the tests need.
#pragma once

#include <cstddef>
#include <cstdint>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "data/crc32.h"

namespace bcx::test {

using Bytes = std::vector<std::byte>;

inline void append(Bytes& bytes, std::string_view text) {
  for (const char c : text) bytes.push_back(static_cast<std::byte>(c));
}

/// A number of `count` bytes, the highest first.
inline std::string big(std::uint64_t value, int count) {
  std::string text;
  for (int i = count - 1; i >= 0; --i)
    text += i < 8 ? static_cast<char>(value >> (8 * i) & 0xFF) : '\0';
  return text;
}

/// A number of `count` bytes, the lowest first.
inline std::string little(std::uint64_t value, int count) {
  std::string text = big(value, count);
  return {text.rbegin(), text.rend()};
}

inline Bytes bytes_of(std::string_view text) {
  Bytes bytes;
  append(bytes, text);
  return bytes;
}

inline std::string chunk(std::string_view type, std::string_view content) {
  const std::string body = std::string(type) + std::string(content);
  return big(content.size(), 4) + body + big(data::crc32(std::as_bytes(std::span(body))), 4);
}

/// zlib stream of stored blocks (RFC 1950, 1951): no compression.
inline std::string stored(std::string_view data) {
  std::string out = "\x78\x01";
  std::uint32_t a = 1, b = 0;
  for (const char c : data) {
    a = (a + static_cast<unsigned char>(c)) % 65521;
    b = (b + a) % 65521;
  }
  do {
    const auto block = data.substr(0, 65535);
    data.remove_prefix(block.size());
    out += data.empty() ? '\1' : '\0';
    out += little(block.size(), 2) + little(~block.size() & 0xFFFF, 2) + std::string(block);
  } while (!data.empty());
  return out + big(b << 16 | a, 4);
}

struct Png {
  std::uint32_t width = 8, height = 8;
  int depth = 8, colour = 2;
  std::string rows = {};    ///< samples, without filter bytes; empty: zeros
  std::string before = {};  ///< chunks between IHDR and IDAT

  std::string text() const {
    static constexpr int channels[7] = {1, 0, 3, 1, 2, 0, 4};
    const std::size_t stride = (std::size_t{width} * channels[colour] * depth + 7) / 8;
    std::string filtered;
    for (std::size_t y = 0; y < height; ++y)
      filtered +=
          '\0' + (rows.empty() ? std::string(stride, '\0') : rows.substr(y * stride, stride));
    return std::string("\x89PNG\r\n\x1A\n") + header() + before + chunk("IDAT", stored(filtered)) +
           chunk("IEND", "");
  }
  std::string header() const {
    return chunk("IHDR", big(width, 4) + big(height, 4) + static_cast<char>(depth) +
                             static_cast<char>(colour) + std::string(3, '\0'));
  }
  Bytes bytes() const { return bytes_of(text()); }
};

inline void write_file(const std::filesystem::path& path, std::string_view text) {
  std::ofstream(path, std::ios::binary) << text;
}

}  // namespace bcx::test
