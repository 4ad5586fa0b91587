#include "tracker/event_file.h"

#include <fmt/format.h>

#include <array>
#include <bit>
#include <cstring>
#include <fstream>
#include <optional>

#include "base/atomic_file.h"
#include "base/error.h"
#include "base/text.h"

namespace bcx::tracker {
namespace {

static_assert(std::endian::native == std::endian::little, "records are little-endian");

constexpr std::uint64_t longest_record = 256 << 20;

constexpr std::array<std::uint32_t, 256> make_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82F63B78u : 0u);
    table[i] = crc;
  }
  return table;
}

template <typename T>
std::string bytes_of(T value) {
  return std::string(reinterpret_cast<const char*>(&value), sizeof value);
}

template <typename T>
T number_at(std::string_view bytes, std::size_t at = 0) {
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

/// One field of a protocol buffer message (protobuf.dev, "Encoding").
struct Field {
  std::uint32_t number = 0, type = 0;
  std::uint64_t integer = 0;  // types 0, 1, 5: as it lies there
  std::string_view bytes;     // type 2
};

class Message {
 public:
  explicit Message(std::string_view bytes) : rest_(bytes) {}

  /// False at the end, and for a message that is none: then good() is false.
  bool next(Field& field) {
    if (rest_.empty() || !good_) return false;
    std::uint64_t tag = 0;
    if (!varint(tag)) return false;
    field = {static_cast<std::uint32_t>(tag >> 3), static_cast<std::uint32_t>(tag & 7), 0, {}};
    switch (field.type) {
      case 0:
        return varint(field.integer);
      case 1:
        return fixed(8, field.integer);
      case 5:
        return fixed(4, field.integer);
      case 2: {
        std::uint64_t size = 0;
        if (!varint(size) || size > rest_.size()) return good_ = false;
        field.bytes = rest_.substr(0, size);
        rest_.remove_prefix(size);
        return true;
      }
      default:
        return good_ = false;
    }
  }
  bool good() const { return good_; }

 private:
  bool varint(std::uint64_t& value) {
    value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      if (rest_.empty()) return good_ = false;
      const auto byte = static_cast<unsigned char>(rest_[0]);
      rest_.remove_prefix(1);
      value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
      if (byte < 128) return true;
    }
    return good_ = false;
  }
  bool fixed(std::size_t size, std::uint64_t& value) {
    if (rest_.size() < size) return good_ = false;
    value = 0;
    std::memcpy(&value, rest_.data(), size);
    rest_.remove_prefix(size);
    return true;
  }

  std::string_view rest_;
  bool good_ = true;
};

/// The number in a TensorProto of one element: in tensor_content, or in the field of its type.
std::optional<double> scalar_of_tensor(std::string_view bytes, bool& good) {
  enum { dt_float = 1, dt_double = 2, dt_int32 = 3, dt_int64 = 9 };
  Message message(bytes);
  Field field;
  std::uint64_t type = 0;
  std::string_view content;
  std::optional<double> value;
  const auto varint_value = [](const Field& one) -> std::optional<double> {
    if (one.type == 0) return static_cast<double>(static_cast<std::int64_t>(one.integer));
    std::uint64_t number = 0;
    int shift = 0;
    for (const char c : one.bytes) {
      number |= static_cast<std::uint64_t>(static_cast<unsigned char>(c) & 0x7F) << shift;
      shift += 7;
      if (shift > 63 || static_cast<unsigned char>(c) < 128) break;
    }
    return static_cast<double>(static_cast<std::int64_t>(number));
  };
  while (message.next(field)) {
    if (field.number == 1) type = field.integer;
    if (field.number == 4) content = field.bytes;
    if (field.number == 5 && field.type == 5)
      value = std::bit_cast<float>(static_cast<std::uint32_t>(field.integer));
    if (field.number == 5 && field.bytes.size() == 4) value = number_at<float>(field.bytes);
    if (field.number == 6 && field.type == 1) value = std::bit_cast<double>(field.integer);
    if (field.number == 6 && field.bytes.size() == 8) value = number_at<double>(field.bytes);
    if (field.number == 7 || field.number == 10) value = varint_value(field);
  }
  good = good && message.good();
  if (type == dt_float && content.size() == 4) return number_at<float>(content);
  if (type == dt_double && content.size() == 8) return number_at<double>(content);
  if (type == dt_int32 && content.size() == 4) return number_at<std::int32_t>(content);
  if (type == dt_int64 && content.size() == 8)
    return static_cast<double>(number_at<std::int64_t>(content));
  const bool numeric =
      type == dt_float || type == dt_double || type == dt_int32 || type == dt_int64;
  return numeric ? value : std::nullopt;
}

/// Adds the scalars of one Event; false when the message is none.
bool read_event(std::string_view bytes, std::vector<ScalarEvent>& out) {
  Message event(bytes);
  Field field;
  ScalarEvent scalar;
  std::vector<std::string_view> summaries;
  while (event.next(field)) {
    if (field.number == 1 && field.type == 1)
      scalar.wall_time = std::bit_cast<double>(field.integer);
    if (field.number == 2 && field.type == 0)
      scalar.step = static_cast<std::int64_t>(field.integer);
    if (field.number == 5 && field.type == 2) summaries.push_back(field.bytes);
  }
  bool good = event.good();
  for (const auto summary_bytes : summaries) {
    Message summary(summary_bytes);
    while (summary.next(field)) {
      if (field.number != 1 || field.type != 2) continue;
      Message value(field.bytes);
      Field part;
      std::optional<double> number;
      scalar.tag.clear();
      while (value.next(part)) {
        if (part.number == 1) scalar.tag = part.bytes;
        if (part.number == 2 && part.type == 5)
          number = std::bit_cast<float>(static_cast<std::uint32_t>(part.integer));
        if (part.number == 8) number = scalar_of_tensor(part.bytes, good);
      }
      good = good && value.good();
      if (!number) continue;
      scalar.value = *number;
      out.push_back(scalar);
    }
    good = good && summary.good();
  }
  return good;
}

[[noreturn]] void damaged(const std::filesystem::path& path, std::uint64_t at, const char* what) {
  throw Error(ExitCode::data, {fmt::format("this event file is damaged at byte {}: {}", at, what),
                               printable(path.string()), "copy it again, or leave it out"});
}

std::string record(std::string_view data) {
  const auto length = bytes_of<std::uint64_t>(data.size());
  return length + bytes_of(masked_crc32c(length)) + std::string(data) +
         bytes_of(masked_crc32c(data));
}

std::string varint(std::uint64_t value) {
  std::string out;
  for (; value >= 128; value >>= 7) out += static_cast<char>((value & 0x7F) | 0x80);
  return out + static_cast<char>(value);
}

std::string length_delimited(char tag, std::string_view bytes) {
  return tag + varint(bytes.size()) + std::string(bytes);
}

}  // namespace

std::uint32_t crc32c(std::string_view bytes) {
  static constexpr auto table = make_table();
  std::uint32_t crc = 0xFFFFFFFFu;
  for (const char c : bytes) crc = (crc >> 8) ^ table[(crc ^ static_cast<unsigned char>(c)) & 0xFF];
  return ~crc;
}

std::uint32_t masked_crc32c(std::string_view bytes) {
  return std::rotr(crc32c(bytes), 15) + 0xA282EAD8u;
}

EventFile read_event_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file)
    throw Error(ExitCode::data, {"cannot open the event file", printable(path.string()), ""});
  EventFile out;
  std::string head(12, '\0'), data;
  for (std::uint64_t at = 0; file.peek() != std::char_traits<char>::eof();) {
    if (!file.read(head.data(), 12)) return out.cut_short = true, out;
    const auto length = number_at<std::uint64_t>(head);
    if (masked_crc32c(std::string_view(head).substr(0, 8)) != number_at<std::uint32_t>(head, 8))
      damaged(path, at, "the checksum of a record's length is wrong");
    if (length > longest_record) damaged(path, at, "a record of over 256 MiB");
    data.resize(length + 4);
    if (!file.read(data.data(), static_cast<std::streamsize>(data.size())))
      return out.cut_short = true, out;
    const auto body = std::string_view(data).substr(0, length);
    if (masked_crc32c(body) != number_at<std::uint32_t>(data, length))
      damaged(path, at, "the checksum of a record is wrong");
    if (at == 0) out.first_record = body;
    if (!read_event(body, out.scalars)) damaged(path, at, "a record is no event");
    at += 16 + length;
  }
  return out;
}

void write_event_file(const std::filesystem::path& path, const std::vector<ScalarEvent>& scalars) {
  AtomicFile file(path);
  const double start = scalars.empty() ? 0.0 : scalars.front().wall_time;
  file.write(record("\x09" + bytes_of(start) + length_delimited('\x1A', "brain.Event:2")));
  for (const auto& one : scalars) {
    const auto value =
        length_delimited('\x0A', one.tag) + "\x15" + bytes_of(static_cast<float>(one.value));
    const auto summary = length_delimited('\x0A', value);
    file.write(record("\x09" + bytes_of(one.wall_time) + "\x10" +
                      varint(static_cast<std::uint64_t>(one.step)) +
                      length_delimited('\x2A', summary)));
  }
  file.commit();
}

}  // namespace bcx::tracker
