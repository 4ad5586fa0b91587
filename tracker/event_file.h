// TensorBoard's event files: records of serialised Event messages, each under masked CRC-32C sums.
//
// Record (TensorFlow, core/lib/io/record_writer.cc): length (uint64), masked CRC of the length
// (uint32), data, masked CRC of the data (uint32), all little-endian. Messages: event.proto,
// summary.proto and tensor.proto of the same project.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace bcx::tracker {

/// CRC-32C (Castagnoli; RFC 3720, appendix B.4).
std::uint32_t crc32c(std::string_view bytes);
/// Rotated right by 15 bits plus 0xA282EAD8, so that a CRC over data that holds CRCs stays sound.
std::uint32_t masked_crc32c(std::string_view bytes);

struct ScalarEvent {
  std::string tag;
  std::int64_t step = 0;
  double value = 0, wall_time = 0;  ///< seconds since 1970, UTC
};

/// Scalars of a file: `simple_value`, and tensors of one number (float, double, int32, int64).
/// Other summaries are passed over.
struct EventFile {
  std::vector<ScalarEvent> scalars;
  std::string first_record;  ///< what tells one file from another: it holds the time of creation
  bool cut_short = false;    ///< the last record is not whole: the writer was killed
};

/// Throws bcx::Error (data) for a file whose sums or messages do not hold.
EventFile read_event_file(const std::filesystem::path& path);

/// Writes a whole file atomically: a version record, then each scalar as `simple_value` (float32).
void write_event_file(const std::filesystem::path& path, const std::vector<ScalarEvent>& scalars);

}  // namespace bcx::tracker
