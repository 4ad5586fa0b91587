// Reading a shared library's file without loading it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bcx::plugin {

/// The parts of an ELF file (System V gABI, chapters 4 and 5) that bcx asks for. Nothing of the
/// file is executed or trusted: every offset, size and index is checked against the file, and what
/// is read is capped.
///
/// Holds the file open; one thread. A shared library of this machine's word size and byte order is
/// accepted, of any processor: machine() says which.
class ElfFile {
 public:
  /// Throws bcx::Error (plugin) with the path when the file cannot be opened, is not such a file,
  /// or ends early.
  explicit ElfFile(std::filesystem::path path);
  ~ElfFile();
  ElfFile(const ElfFile&) = delete;
  ElfFile& operator=(const ElfFile&) = delete;

  std::uint16_t machine() const { return machine_; }

  /// Bytes of the first section of that name; nothing when there is none. Throws when it is larger
  /// than `limit` bytes or lies outside the file.
  std::optional<std::string> section(std::string_view name, std::uint64_t limit) const;

  /// The GNU build id as lower-case hex digits; empty when the file has none.
  std::string build_id() const;

  /// Names of the libraries that this one needs, in the file's order (DT_NEEDED).
  std::vector<std::string> needed() const;

  /// Names of the symbols that the library defines and exports, in the table's order.
  std::vector<std::string> exported() const;

  /// True when `symbol` is one of them.
  bool exports(std::string_view symbol) const;

  const std::filesystem::path& path() const { return path_; }

 private:
  struct Section {
    std::string name;
    std::uint32_t type = 0, link = 0;
    std::uint64_t offset = 0, size = 0;
  };
  std::string read(std::uint64_t offset, std::uint64_t size) const;
  const Section* find(std::uint32_t type) const;
  std::string content(const Section& section, std::uint64_t limit) const;
  void read_header();
  void read_sections(std::uint64_t offset, std::uint64_t count, std::uint64_t names);

  std::filesystem::path path_;
  int descriptor_ = -1;
  std::uint64_t size_ = 0;
  std::uint16_t machine_ = 0;
  std::vector<Section> sections_;
};

/// `x86-64`, `AArch64`, ... or `machine 243` of an ELF header's machine number.
std::string machine_name(std::uint16_t machine);

}  // namespace bcx::plugin
