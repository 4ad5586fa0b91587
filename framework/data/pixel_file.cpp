#include "data/pixel_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "base/error.h"
#include "base/text.h"

namespace bcx::data {
namespace {

constexpr std::string_view magic = "BCXPIX1\n";
constexpr std::uint64_t header_size = 64, footer_size = 128, largest_side = 65'535;

std::string_view name_of(PixelFileKind kind) {
  return kind == PixelFileKind::cache ? "cache   " : "pack    ";
}

std::string little(std::uint64_t value) {
  std::string text(8, '\0');
  for (std::size_t i = 0; i < 8; ++i) text[i] = static_cast<char>(value >> (8 * i) & 0xFF);
  return text;
}

std::uint64_t number(std::string_view bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = 8; i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

std::string binary(const std::string& hex) {
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes += static_cast<char>(digit(hex[i]) * 16 + digit(hex[i + 1]));
  return bytes;
}

std::string sum_of(std::string_view text) {
  return binary(sha256_hex(text));
}

[[noreturn]] void fail(const std::filesystem::path& path, std::string what) {
  throw Error(ExitCode::data, {std::move(what), printable(path.string()), {}});
}

// A whole file mapped read-only.
std::shared_ptr<const void> map(const std::filesystem::path& path, std::uint64_t& bytes) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) fail(path, fmt::format("cannot be opened: {}", system_message(errno)));
  struct stat status {};
  const bool regular = fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode);
  bytes = regular ? static_cast<std::uint64_t>(status.st_size) : 0;
  void* address =
      bytes == 0 ? MAP_FAILED : mmap(nullptr, bytes, PROT_READ, MAP_SHARED, descriptor, 0);
  const int code = errno;
  close(descriptor);
  if (!regular) fail(path, "is not a file");
  if (bytes == 0) fail(path, "is empty");
  if (address == MAP_FAILED) fail(path, fmt::format("cannot be mapped: {}", system_message(code)));
  return {address, [bytes](const void* p) { munmap(const_cast<void*>(p), bytes); }};
}

}  // namespace

PixelFileWriter::PixelFileWriter(const std::filesystem::path& path, PixelFileKind kind,
                                 std::int64_t size)
    : file_(path), kind_(kind), size_(size) {
  std::string header(header_size, '\0');
  header.replace(0, magic.size(), magic);
  put(std::as_bytes(std::span(header)));
}

void PixelFileWriter::put(std::span<const std::byte> bytes) {
  sum_.update(bytes);
  file_.write(bytes);
}

void PixelFileWriter::write(std::span<const std::uint8_t> pixels) {
  put(std::as_bytes(pixels));
  pixel_bytes_ += pixels.size();
}

void PixelFileWriter::commit(std::string_view json) {
  put(std::as_bytes(std::span(json)));
  const auto side = static_cast<std::uint64_t>(size_);
  std::string footer = little(pixel_bytes_ / (side * side * 3)) + little(side) +
                       little(json.size()) + std::string(name_of(kind_)) + sum_of(json) +
                       binary(sum_.hex());
  footer += sum_of(footer);
  file_.write(footer);
  file_.commit();
}

PixelFile open_pixel_file(const std::filesystem::path& path, PixelFileKind kind, bool verify) {
  std::uint64_t bytes = 0;
  PixelFile file;
  file.mapping = map(path, bytes);
  const std::string_view all(static_cast<const char*>(file.mapping.get()), bytes);
  if (!all.starts_with(magic)) fail(path, "is not a file of decoded images");
  if (bytes < header_size + footer_size) fail(path, "is cut short");
  const std::string_view footer = all.substr(bytes - footer_size);
  if (sum_of(footer.substr(0, 96)) != footer.substr(96))
    fail(path, "is cut short or damaged: the checksum at its end is wrong");
  const std::uint64_t count = number(footer), side = number(footer.substr(8)),
                      json = number(footer.substr(16));
  if (footer.substr(24, 8) != name_of(kind))
    fail(path, fmt::format("holds a {}, not a {}", printable(trim(footer.substr(24, 8))),
                           trim(name_of(kind))));
  const std::uint64_t room = bytes - header_size - footer_size;
  // side is bounded first: side * side * 3 then fits 64 bits, and count is compared by division.
  if (side == 0 || side > largest_side || json > room || (room - json) % (side * side * 3) != 0 ||
      count != (room - json) / (side * side * 3))
    fail(path, "is damaged: its sizes do not agree");
  file.json = all.substr(bytes - footer_size - json, json);
  if (sum_of(file.json) != footer.substr(32, 32)) fail(path, "is damaged: its table has changed");
  if (verify && sum_of(all.substr(0, bytes - footer_size)) != footer.substr(64, 32))
    fail(path, "is damaged: its pixels have changed");
  file.pixels = {reinterpret_cast<const std::uint8_t*>(all.data()) + header_size,
                 static_cast<std::int64_t>(count), static_cast<std::int64_t>(side),
                 static_cast<std::int64_t>(side)};
  return file;
}

}  // namespace bcx::data
