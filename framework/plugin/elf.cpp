#include "plugin/elf.h"

#include <elf.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <limits>
#include <span>

#include "base/error.h"
#include "base/text.h"

namespace bcx::plugin {
namespace {

// Larger than anything a linker writes for a plugin; a hostile file cannot make us read more.
constexpr std::uint64_t sections_limit = 4096;
constexpr std::uint64_t names_limit = 1 << 20;
constexpr std::uint64_t symbols_limit = 64 << 20;

static_assert(sizeof(void*) == 8, "the structures below are those of 64-bit files");
constexpr unsigned char native_order =
    std::endian::native == std::endian::little ? ELFDATA2LSB : ELFDATA2MSB;

[[noreturn]] void fail(const std::filesystem::path& path, std::string what,
                       std::string remedy = {}) {
  throw Error(ExitCode::plugin, {std::move(what), printable(path.string()), std::move(remedy)});
}

// The zero-terminated text at `offset`, empty where it does not end inside `table`.
std::string_view text_at(std::string_view table, std::uint64_t offset) {
  if (offset >= table.size()) return {};
  const auto rest = table.substr(offset);
  const auto end = rest.find('\0');
  return end == std::string_view::npos ? std::string_view{} : rest.substr(0, end);
}

// The i-th record of a table; `bytes` comes from a file and is aligned to nothing.
template <typename Record>
Record record(std::string_view bytes, std::size_t index) {
  Record value;
  std::memcpy(&value, bytes.data() + index * sizeof(Record), sizeof(Record));
  return value;
}

void check_identity(const std::filesystem::path& path, const unsigned char* ident) {
  if (std::memcmp(ident, ELFMAG, SELFMAG) != 0)
    fail(path, "is no shared library", "remove it or rename it");
  if (ident[EI_CLASS] != ELFCLASS64) fail(path, "is no 64-bit library", "build it on this machine");
  if (ident[EI_DATA] != native_order)
    fail(path, "is for a machine of another byte order", "build it on this machine");
}

}  // namespace

ElfFile::ElfFile(std::filesystem::path path) : path_(std::move(path)) {
  // O_NONBLOCK: a named pipe in a plugin folder must not hang the search.
  descriptor_ = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor_ < 0) fail(path_, fmt::format("cannot be opened: {}", system_message(errno)));
  try {
    struct stat status {};
    if (fstat(descriptor_, &status) != 0) fail(path_, system_message(errno));
    if (!S_ISREG(status.st_mode)) fail(path_, "is no regular file");
    size_ = static_cast<std::uint64_t>(status.st_size);
    read_header();
  } catch (...) {
    ::close(descriptor_);
    throw;
  }
}

ElfFile::~ElfFile() {
  ::close(descriptor_);
}

std::string ElfFile::read(std::uint64_t offset, std::uint64_t size) const {
  if (offset > size_ || size > size_ - offset)
    fail(path_,
         fmt::format("ends early: {} bytes are missing",
                     offset > size_ ? offset - size_ : size - (size_ - offset)),
         "copy or build it again");
  std::string bytes(size, '\0');
  for (std::size_t done = 0; done < bytes.size();) {
    const auto got = ::pread(descriptor_, bytes.data() + done, bytes.size() - done,
                             static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail(path_, fmt::format("cannot be read: {}", system_message(errno)));
    if (got == 0) fail(path_, "became shorter while it was read");
    done += static_cast<std::size_t>(got);
  }
  return bytes;
}

void ElfFile::read_header() {
  if (size_ == 0) fail(path_, "is empty", "copy or build it again");
  if (size_ < EI_NIDENT) fail(path_, "is no shared library", "remove it or rename it");
  const std::string identity = read(0, EI_NIDENT);
  check_identity(path_, reinterpret_cast<const unsigned char*>(identity.data()));
  const std::string bytes = read(0, sizeof(Elf64_Ehdr));
  const auto header = record<Elf64_Ehdr>(bytes, 0);
  if (header.e_type != ET_DYN) fail(path_, "is no shared library", "remove it or rename it");
  machine_ = header.e_machine;
  if (header.e_shnum == 0 || header.e_shentsize != sizeof(Elf64_Shdr))
    fail(path_, "has no section table", "build it with bcx_add_plugin()");
  read_sections(header.e_shoff, header.e_shnum, header.e_shstrndx);
}

void ElfFile::read_sections(std::uint64_t offset, std::uint64_t count, std::uint64_t names) {
  if (count > sections_limit || names >= count)
    fail(path_, "has a damaged section table", "copy or build it again");
  const std::string table = read(offset, count * sizeof(Elf64_Shdr));
  const auto header_of_names = record<Elf64_Shdr>(table, names);
  if (header_of_names.sh_size > names_limit)
    fail(path_, "has a damaged section table", "copy or build it again");
  const std::string text = read(header_of_names.sh_offset, header_of_names.sh_size);
  for (std::size_t i = 0; i < count; ++i) {
    const auto header = record<Elf64_Shdr>(table, i);
    sections_.push_back({std::string(text_at(text, header.sh_name)), header.sh_type, header.sh_link,
                         header.sh_offset, header.sh_size});
  }
}

std::string ElfFile::content(const Section& section, std::uint64_t limit) const {
  if (section.type == SHT_NOBITS) return {};  // takes no place in the file
  if (section.size > limit)
    fail(path_, fmt::format("section {} has {} bytes, at most {} are allowed",
                            printable(section.name), section.size, limit));
  return read(section.offset, section.size);
}

std::optional<std::string> ElfFile::section(std::string_view name, std::uint64_t limit) const {
  const auto found = std::ranges::find(sections_, name, &Section::name);
  if (found == sections_.end()) return std::nullopt;
  return content(*found, limit);
}

const ElfFile::Section* ElfFile::find(std::uint32_t type) const {
  const auto found = std::ranges::find(sections_, type, &Section::type);
  return found == sections_.end() ? nullptr : &*found;
}

std::string ElfFile::build_id() const {
  const auto note = section(".note.gnu.build-id", 4096);
  if (!note || note->size() < sizeof(Elf64_Nhdr)) return {};
  const auto header = record<Elf64_Nhdr>(*note, 0);
  const std::uint64_t start = sizeof(header) + (std::uint64_t{header.n_namesz} + 3) / 4 * 4;
  if (header.n_type != NT_GNU_BUILD_ID || start > note->size() ||
      header.n_descsz > note->size() - start)
    return {};
  std::string hex;
  for (const char c : note->substr(start, header.n_descsz))
    hex += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return hex;
}

std::vector<std::string> ElfFile::needed() const {
  const Section* dynamic = find(SHT_DYNAMIC);
  if (!dynamic || dynamic->link >= sections_.size()) return {};
  const std::string entries = content(*dynamic, symbols_limit);
  const std::string text = content(sections_[dynamic->link], symbols_limit);
  std::vector<std::string> names;
  for (std::size_t i = 0; i < entries.size() / sizeof(Elf64_Dyn); ++i) {
    const auto entry = record<Elf64_Dyn>(entries, i);
    if (entry.d_tag == DT_NULL) break;
    if (entry.d_tag == DT_NEEDED) names.emplace_back(text_at(text, entry.d_un.d_val));
  }
  return names;
}

std::vector<std::string> ElfFile::exported() const {
  const Section* table = find(SHT_DYNSYM);
  if (!table || table->link >= sections_.size()) return {};
  const std::string entries = content(*table, symbols_limit);
  const std::string text = content(sections_[table->link], symbols_limit);
  std::vector<std::string> names;
  for (std::size_t i = 0; i < entries.size() / sizeof(Elf64_Sym); ++i) {
    const auto entry = record<Elf64_Sym>(entries, i);
    const bool defined = entry.st_shndx != SHN_UNDEF && ELF64_ST_BIND(entry.st_info) != STB_LOCAL;
    if (defined && ELF64_ST_TYPE(entry.st_info) != STT_SECTION)
      names.emplace_back(text_at(text, entry.st_name));
  }
  return names;
}

bool ElfFile::exports(std::string_view symbol) const {
  const auto names = exported();
  return std::ranges::find(names, symbol) != names.end();
}

std::string machine_name(std::uint16_t machine) {
  switch (machine) {
    case EM_386:
      return "32-bit x86";
    case EM_ARM:
      return "32-bit ARM";
    case EM_X86_64:
      return "x86-64";
    case EM_AARCH64:
      return "AArch64";
    case EM_RISCV:
      return "RISC-V";
    case EM_PPC64:
      return "POWER";
    case EM_S390:
      return "IBM Z";
    default:
      return fmt::format("machine {}", machine);
  }
}

}  // namespace bcx::plugin
