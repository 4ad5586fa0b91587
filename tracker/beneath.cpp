#include "tracker/beneath.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <utility>

#include "base/error.h"
#include "base/text.h"

namespace bcx::tracker {
namespace {

constexpr std::size_t piece_bytes = 4 << 20;
constexpr int deepest = 32;
constexpr int folder_flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW;

[[noreturn]] void throw_storage(const char* doing, const std::filesystem::path& path, int code) {
  throw Error(ExitCode::storage,
              {fmt::format("{}: {}", doing, system_message(code)), printable(path.string()),
               code == ENOSPC ? "free some space, or name a folder on another disk" : ""});
}

struct CloseFolder {
  void operator()(DIR* folder) const { closedir(folder); }
};

struct Entry {
  std::string name;
  mode_t mode = 0;
  std::int64_t bytes = 0;
};

/// What lies in the folder, by name, without `.` and `..`.
std::vector<Entry> entries(int folder) {
  std::vector<Entry> out;
  const int again = openat(folder, ".", folder_flags);  // readdir moves the descriptor's position
  if (again < 0) return out;
  const std::unique_ptr<DIR, CloseFolder> listing(fdopendir(again));
  while (const dirent* entry = readdir(listing.get())) {
    struct stat facts {};
    const std::string name = entry->d_name;
    if (name == "." || name == "..") continue;
    if (fstatat(folder, name.c_str(), &facts, AT_SYMLINK_NOFOLLOW) != 0) continue;
    out.push_back({name, facts.st_mode, static_cast<std::int64_t>(facts.st_size)});
  }
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return out;
}

void list(int folder, const std::string& prefix, int depth, std::vector<Beneath::File>& out) {
  if (depth > deepest) return;
  for (const auto& entry : entries(folder)) {
    if (S_ISREG(entry.mode)) out.push_back({prefix + entry.name, entry.bytes});
    if (!S_ISDIR(entry.mode)) continue;
    const Descriptor inner(openat(folder, entry.name.c_str(), folder_flags));
    if (inner.get() >= 0) list(inner.get(), prefix + entry.name + "/", depth + 1, out);
  }
}

/// Everything in the folder; links are taken away as links. Returns errno's value or 0.
int empty(int folder, int depth) {
  for (const auto& entry : entries(folder)) {
    if (S_ISDIR(entry.mode) && depth < deepest) {
      const Descriptor inner(openat(folder, entry.name.c_str(), folder_flags));
      if (inner.get() >= 0)
        if (const int code = empty(inner.get(), depth + 1)) return code;
    }
    if (unlinkat(folder, entry.name.c_str(), S_ISDIR(entry.mode) ? AT_REMOVEDIR : 0) != 0)
      return errno;
  }
  return 0;
}

}  // namespace

Descriptor::~Descriptor() {
  if (descriptor_ >= 0) close(descriptor_);
}

bool is_plain_path(std::string_view path) {
  if (path.empty() || path.size() > 4000 || path.find('\0') != path.npos) return false;
  const auto parts = split(path, '/');
  return std::all_of(parts.begin(), parts.end(), [](const std::string& part) {
    return !part.empty() && part != "." && part != ".." && part.size() <= 255;
  });
}

Beneath::Beneath(const std::filesystem::path& root) : root_(root) {
  descriptor_ = open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor_ < 0) throw_storage("cannot open the folder", root, errno);
}

Beneath::~Beneath() {
  if (descriptor_ >= 0) close(descriptor_);
}

Beneath::Beneath(Beneath&& other) noexcept
    : root_(std::move(other.root_)), descriptor_(std::exchange(other.descriptor_, -1)) {}

Beneath& Beneath::operator=(Beneath&& other) noexcept {
  std::swap(root_, other.root_);
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

void Beneath::fail(const char* doing, const std::string& path, int code) const {
  throw_storage(doing, root_ / path, code);
}

int Beneath::open_parent(const std::string& path, bool make, std::string& name) const {
  if (!is_plain_path(path))
    throw Error(ExitCode::storage, {"this is no path inside the folder",
                                    printable((root_ / clip(path, 100)).string()), ""});
  const auto parts = split(path, '/');
  name = parts.back();
  int at = fcntl(descriptor_, F_DUPFD_CLOEXEC, 0);
  for (std::size_t i = 0; at >= 0 && i + 1 < parts.size(); ++i) {
    if (make) mkdirat(at, parts[i].c_str(), 0777);  // that it was there is found out right below
    const int next = openat(at, parts[i].c_str(), folder_flags);
    const int code = errno;
    close(at);
    at = next;
    errno = code;
  }
  return at;
}

std::vector<Beneath::File> Beneath::files(const std::string& folder) const {
  std::vector<File> out;
  if (folder.empty()) {
    list(descriptor_, "", 0, out);
    return out;
  }
  std::string name;
  const Descriptor parent(open_parent(folder, false, name));
  if (parent.get() < 0) return out;
  const Descriptor inner(openat(parent.get(), name.c_str(), folder_flags));
  if (inner.get() >= 0) list(inner.get(), folder + "/", 0, out);
  return out;
}

std::vector<std::string> Beneath::folders() const {
  std::vector<std::string> out;
  for (const auto& entry : entries(descriptor_))
    if (S_ISDIR(entry.mode)) out.push_back(entry.name);
  return out;
}

bool Beneath::exists(const std::string& path) const {
  std::string name;
  const Descriptor parent(open_parent(path, false, name));
  struct stat facts {};
  return parent.get() >= 0 &&
         fstatat(parent.get(), name.c_str(), &facts, AT_SYMLINK_NOFOLLOW) == 0 &&
         (S_ISREG(facts.st_mode) || S_ISDIR(facts.st_mode));
}

int Beneath::open_for_reading(const std::string& path) const {
  std::string name;
  const Descriptor parent(open_parent(path, false, name));
  // O_NONBLOCK: a FIFO would hang the open.
  const int file = parent.get() < 0 ? -1
                                    : openat(parent.get(), name.c_str(),
                                             O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (file < 0) fail("cannot open the file", path, errno);
  struct stat facts {};
  if (fstat(file, &facts) != 0 || !S_ISREG(facts.st_mode)) {
    close(file);
    fail("cannot read what is no file", path, EINVAL);
  }
  return file;
}

int Beneath::create(const std::string& path) const {
  std::string name;
  const Descriptor parent(open_parent(path, true, name));
  if (parent.get() < 0) fail("cannot make the folder of", path, errno);
  unlinkat(parent.get(), name.c_str(), 0);
  const int file = openat(parent.get(), name.c_str(),
                          O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
  if (file < 0) fail("cannot create", path, errno);
  return file;
}

void Beneath::remove_file(const std::string& path) const {
  std::string name;
  const Descriptor parent(open_parent(path, false, name));
  if (parent.get() < 0 || unlinkat(parent.get(), name.c_str(), 0) != 0)
    fail("cannot remove", path, errno);
}

void Beneath::remove_folder(const std::string& path) const {
  std::string name;
  const Descriptor parent(open_parent(path, false, name));
  const Descriptor folder(parent.get() < 0 ? -1 : openat(parent.get(), name.c_str(), folder_flags));
  if (folder.get() < 0) fail("cannot remove", path, errno);
  if (const int code = empty(folder.get(), 0)) fail("cannot remove", path, code);
  if (unlinkat(parent.get(), name.c_str(), AT_REMOVEDIR) != 0) fail("cannot remove", path, errno);
}

void Beneath::remove_empty_folders(std::string path) const {
  for (;;) {
    std::string name;
    const Descriptor parent(open_parent(path, false, name));
    if (parent.get() < 0 || unlinkat(parent.get(), name.c_str(), AT_REMOVEDIR) != 0) return;
    const auto slash = path.rfind('/');
    if (slash == path.npos) return;
    path.resize(slash);
  }
}

void Beneath::rename(const std::string& from, const std::string& to) const {
  std::string old_name, new_name;
  const Descriptor old_parent(open_parent(from, false, old_name));
  const Descriptor new_parent(open_parent(to, true, new_name));
  if (old_parent.get() < 0) fail("cannot move", from, errno);
  if (new_parent.get() < 0) fail("cannot move to", to, errno);
  if (renameat2(old_parent.get(), old_name.c_str(), new_parent.get(), new_name.c_str(),
                RENAME_NOREPLACE) != 0)
    fail("cannot move", from, errno);
  fsync(new_parent.get());
  fsync(old_parent.get());
}

std::int64_t read_pieces(int descriptor, const std::filesystem::path& shown,
                         const std::function<void(std::span<const std::byte>)>& take) {
  std::vector<std::byte> piece(piece_bytes);
  std::int64_t total = 0;
  for (;;) {
    std::size_t filled = 0;
    while (filled < piece.size()) {
      const ssize_t got = read(descriptor, piece.data() + filled, piece.size() - filled);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) throw_storage("cannot read", shown, errno);
      if (got == 0) break;
      filled += static_cast<std::size_t>(got);
    }
    if (filled == 0) return total;
    take(std::span(piece.data(), filled));
    total += static_cast<std::int64_t>(filled);
  }
}

void write_all(int descriptor, const std::filesystem::path& shown,
               std::span<const std::byte> data) {
  while (!data.empty()) {
    const ssize_t written = write(descriptor, data.data(), data.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) throw_storage("cannot write", shown, errno);
    data = data.subspan(static_cast<std::size_t>(written));
  }
}

}  // namespace bcx::tracker
