#include "weights/safetensors.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <unordered_map>

#include "base/error.h"
#include "base/hash.h"
#include "base/text.h"
#include "weights/safetensors_header.h"

namespace bcx::weights {
namespace {

[[noreturn]] void refuse(const std::filesystem::path& path, std::string what,
                         std::string remedy = {}) {
  throw Error(ExitCode::data, {std::move(what), printable(path.string()), std::move(remedy)});
}

/// A regular file's bytes, mapped read-only.
class Mapping {
 public:
  explicit Mapping(const std::filesystem::path& path) {
    // O_NONBLOCK: opening a named pipe must not wait for a writer.
    const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0) refuse(path, fmt::format("cannot be opened: {}", system_message(errno)));
    struct stat facts {};
    const bool known = fstat(descriptor, &facts) == 0;
    const bool regular = known && S_ISREG(facts.st_mode);
    if (regular) size_ = static_cast<std::size_t>(facts.st_size);
    if (size_ > 0) data_ = mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, descriptor, 0);
    const int code = errno;
    close(descriptor);
    if (!regular) refuse(path, "is no regular file");
    if (data_ == MAP_FAILED) {
      data_ = nullptr;
      refuse(path, fmt::format("cannot be mapped: {}", system_message(code)));
    }
  }
  ~Mapping() {
    if (data_) munmap(data_, size_);
  }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;

  std::span<const std::byte> bytes() const { return {static_cast<const std::byte*>(data_), size_}; }

 private:
  void* data_ = nullptr;
  std::size_t size_ = 0;
};

/// What a file that is no safetensors file probably is, and what to do with it.
std::string remedy_for(std::span<const std::byte> bytes) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (text.starts_with("PK\x03\x04") || text.starts_with("\x80\x02") ||
      text.starts_with("\x80\x04"))
    return "this looks like a PyTorch checkpoint: turn it into safetensors with `bcx weights "
           "convert`";
  if (text.starts_with("version https://git-lfs"))
    return "this is a Git LFS pointer: `git lfs pull` fetches the file itself";
  if (text.starts_with("<") || text.starts_with("\x89HDF")) return "expected a .safetensors file";
  return {};
}

/// The header's text within the file.
std::string_view header_of(const std::filesystem::path& path, std::span<const std::byte> bytes) {
  if (bytes.size() < 8)
    refuse(path, fmt::format("holds {} bytes, a safetensors file has at least 10", bytes.size()),
           remedy_for(bytes));
  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), 8);
  if (length > header_limit)
    refuse(path,
           fmt::format("says that its header takes {} bytes, at most {} are allowed", length,
                       header_limit),
           remedy_for(bytes));
  if (length > bytes.size() - 8)
    refuse(path,
           fmt::format("says that its header takes {} bytes, the file holds {} after the first 8",
                       length, bytes.size() - 8),
           remedy_for(bytes));
  return {reinterpret_cast<const char*>(bytes.data()) + 8, static_cast<std::size_t>(length)};
}

}  // namespace

struct SafetensorsFile::State {
  explicit State(const std::filesystem::path& at) : path(at), mapping(at) {}
  std::filesystem::path path;
  Mapping mapping;
  Metadata metadata;
  std::vector<TensorView> tensors;
  std::unordered_map<std::string_view, std::size_t> index;  // keys borrow from `tensors`
};

SafetensorsFile SafetensorsFile::open(const std::filesystem::path& path) {
  auto state = std::make_shared<State>(path);
  const auto bytes = state->mapping.bytes();
  const std::string_view text = header_of(path, bytes);
  const auto data = bytes.subspan(8 + text.size());
  try {
    Header header = parse_header(text);
    require_cover(header, data.size());
    state->metadata = std::move(header.metadata);
    state->tensors.reserve(header.entries.size());
    for (auto& [info, begin, end] : header.entries)
      state->tensors.push_back({std::move(info.name), info.dtype, std::move(info.shape),
                                data.subspan(begin, end - begin)});
  } catch (const BrokenHeader& broken) {
    refuse(path, broken.what, remedy_for(bytes));
  }
  for (std::size_t i = 0; i < state->tensors.size(); ++i) state->index[state->tensors[i].name] = i;
  return SafetensorsFile(std::move(state));
}

const std::filesystem::path& SafetensorsFile::path() const {
  return state_->path;
}
const Metadata& SafetensorsFile::metadata() const {
  return state_->metadata;
}
std::span<const TensorView> SafetensorsFile::tensors() const {
  return state_->tensors;
}
std::uint64_t SafetensorsFile::file_size() const {
  return state_->mapping.bytes().size();
}

const TensorView* SafetensorsFile::find(std::string_view name) const {
  const auto found = state_->index.find(name);
  return found == state_->index.end() ? nullptr : &state_->tensors[found->second];
}

std::string SafetensorsFile::sha256() const {
  Sha256 hash;
  hash.update(state_->mapping.bytes());
  return hash.hex();
}

}  // namespace bcx::weights
