// Digests of files and of text, and the stable 64-bit hash that names samples and streams.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace bcx {

/// Incremental SHA-256 (FIPS 180-4, through OpenSSL). Not thread-safe; movable.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  void update(std::span<const std::byte> bytes);
  void update(std::string_view text);
  /// 64 lower-case hex digits; the object is spent afterwards.
  std::string hex();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::string sha256_hex(std::string_view text);

/// Throws bcx::Error (data) when the file cannot be read.
std::string sha256_file(const std::filesystem::path& path);

/// A 64-bit hash of bytes that is the same on every machine and in every version of bcx:
/// FNV-1a followed by splitmix64's finaliser. For keys of random streams and sample ids, never
/// against an adversary.
constexpr std::uint64_t stable_hash(std::string_view text) {
  std::uint64_t h = 0xCBF29CE484222325ull;
  for (const char c : text) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001B3ull;
  h = (h ^ (h >> 30)) * 0xBF58476D1CE4E5B9ull;
  h = (h ^ (h >> 27)) * 0x94D049BB133111EBull;
  return h ^ (h >> 31);
}

/// 16 random bytes from the kernel as a UUID version 7 (RFC 9562): sorts by creation time.
std::string uuid_v7();

}  // namespace bcx
