// The JSON header of a safetensors file as a list of tensors: internal to this library.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "weights/safetensors.h"

namespace bcx::weights {

struct HeaderEntry {
  TensorInfo info;
  std::uint64_t begin = 0, end = 0;  // relative to the data part
};

struct Header {
  std::vector<HeaderEntry> entries;  // sorted by offset
  Metadata metadata;
};

/// Parses and checks everything that can be checked without the data: throws BrokenHeader.
Header parse_header(std::string_view json);

/// Checks that the sorted entries cover `data_size` bytes without gap or overlap: throws
/// BrokenHeader.
void require_cover(const Header& header, std::uint64_t data_size);

/// The JSON text for tensors laid out one after the other, padded with spaces to a multiple of 8.
std::string header_text(const std::vector<TensorInfo>& layout, const Metadata& metadata);

/// A rule of the format that a header breaks; the reader adds the file's name.
struct BrokenHeader {
  std::string what;
};

}  // namespace bcx::weights
