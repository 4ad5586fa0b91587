// Advisory locks (flock) and what they tell.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>

namespace bcx::tracker {

/// An exclusive flock, held until it is destroyed. The kernel lets go of it when the process dies,
/// however it dies.
class FileLock {
 public:
  /// Creates the file if need be and waits up to `patience` for the lock; none when somebody else
  /// holds it all that time. Throws bcx::Error (storage) when the file cannot be opened.
  static std::optional<FileLock> take(const std::filesystem::path& path,
                                      std::chrono::milliseconds patience);
  ~FileLock();
  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&& other) noexcept;

  /// A child that inherits it holds the lock, too, for as long as it lives.
  int descriptor() const { return descriptor_; }

 private:
  explicit FileLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

/// Whether somebody holds the lock on this file. False when there is no such file. Takes it shared
/// for an instant to find out; never follows a link.
bool is_locked(const std::filesystem::path& path);

}  // namespace bcx::tracker
