#include "base/atomic_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/error.h"
#include "base/text.h"

namespace bcx {
namespace {

[[noreturn]] void fail(const std::filesystem::path& path, const char* doing, int code) {
  throw Error(ExitCode::storage,
              {fmt::format("{}: {}", doing, system_message(code)), printable(path.string()),
               code == ENOSPC ? "free some space, or name a folder on another disk" : ""});
}

/// 0, or why not. Interrupted, nothing was reported and it may be asked for again; any other failure
/// is final, since the kernel may have dropped what it could not write.
int synced(int descriptor) {
  while (fsync(descriptor) != 0)
    if (errno != EINTR) return errno;
  return 0;
}

void sync_folder(const std::filesystem::path& folder) {
  const int descriptor = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) fail(folder, "cannot open the folder", errno);
  const int code = synced(descriptor);
  close(descriptor);
  // Some file systems cannot sync a folder and say EINVAL; the rename is as durable there as it gets.
  if (code != 0 && code != EINVAL) fail(folder, "cannot sync the folder", code);
}

std::filesystem::path folder_of(const std::filesystem::path& path) {
  return path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
}

}  // namespace

AtomicFile::AtomicFile(std::filesystem::path path) : path_(std::move(path)) {
  std::string pattern =
      (folder_of(path_) / fmt::format(".{}.XXXXXX.tmp", path_.filename().string())).string();
  descriptor_ = mkostemps(pattern.data(), 4, O_CLOEXEC);
  if (descriptor_ < 0) fail(path_, "cannot create", errno);
  temporary_ = pattern;
  // mkostemps makes the file private; give it what an ordinary new file would have.
  const mode_t mask = umask(0);
  umask(mask);
  fchmod(descriptor_, 0666 & ~mask);
}

AtomicFile::~AtomicFile() {
  if (descriptor_ >= 0) close(descriptor_);
  if (!committed_) unlink(temporary_.c_str());
}

void AtomicFile::write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail(path_, "cannot write", errno);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

void AtomicFile::write(std::string_view text) { write(std::as_bytes(std::span(text))); }

const std::filesystem::path& AtomicFile::finish() {
  if (descriptor_ < 0) return temporary_;
  const int sync_code = synced(descriptor_);
  // What interrupts close() lets it close all the same (Linux).
  const int close_code = close(descriptor_) == 0 || errno == EINTR ? 0 : errno;
  descriptor_ = -1;
  if (sync_code != 0) fail(path_, "cannot sync", sync_code);
  if (close_code != 0) fail(path_, "cannot close", close_code);
  return temporary_;
}

void AtomicFile::commit() {
  finish();
  if (rename(temporary_.c_str(), path_.c_str()) != 0) fail(path_, "cannot rename into place", errno);
  committed_ = true;
  sync_folder(folder_of(path_));
}

void write_atomically(const std::filesystem::path& path, std::string_view text) {
  AtomicFile file(path);
  file.write(text);
  file.commit();
}

}  // namespace bcx
