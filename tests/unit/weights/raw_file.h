// Safetensors files byte by byte, for tests that need wrong ones.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>

namespace bcx::test {

/// Eight bytes, little-endian.
inline std::string length_prefix(std::uint64_t length) {
  return std::string(reinterpret_cast<const char*>(&length), 8);
}

inline void write_raw(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

/// A whole file: length, header, data.
inline std::string raw_file(const std::string& header, const std::string& data = {}) {
  return length_prefix(header.size()) + header + data;
}

}  // namespace bcx::test
