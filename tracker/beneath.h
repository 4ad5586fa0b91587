// Files beneath one folder and nowhere else, whatever names a database or a file gives them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace bcx::tracker {

/// A folder held open. Paths are relative, of plain names between slashes; each is walked from the
/// folder's descriptor, name by name, and a link on the way ends the walk: nothing outside can be
/// read, made or removed, though links be put there meanwhile. Movable. Errors: bcx::Error
/// (storage), also for a path that is no such path.
class Beneath {
 public:
  explicit Beneath(const std::filesystem::path& root);
  ~Beneath();
  Beneath(Beneath&& other) noexcept;
  Beneath& operator=(Beneath&& other) noexcept;

  const std::filesystem::path& root() const { return root_; }

  struct File {
    std::string path;  ///< from the root
    std::int64_t bytes = 0;
  };
  /// Regular files below `folder` ("": all), by name. Links and other things are passed over. Empty
  /// when there is no such folder.
  std::vector<File> files(const std::string& folder = {}) const;
  /// Folders right in the root, by name.
  std::vector<std::string> folders() const;

  bool exists(const std::string& path) const;  ///< a regular file or a folder, not a link
  /// A descriptor for reading a regular file, the caller's to close.
  int open_for_reading(const std::string& path) const;
  /// A new file (its folders are made, an old file is taken away), the caller's to close.
  int create(const std::string& path) const;
  void remove_file(const std::string& path) const;
  /// A folder with everything in it.
  void remove_folder(const std::string& path) const;
  /// Takes away folders that are empty, from `path` upwards, the root excepted.
  void remove_empty_folders(std::string path) const;
  /// Both beneath this folder; the target must not be there. Synced.
  void rename(const std::string& from, const std::string& to) const;

 private:
  int open_parent(const std::string& path, bool make, std::string& name) const;
  [[noreturn]] void fail(const char* doing, const std::string& path, int code) const;

  std::filesystem::path root_;
  int descriptor_ = -1;
};

/// Whether `path` is plain names between slashes: nothing empty, no `.` or `..`, no NUL, of a sane
/// length.
bool is_plain_path(std::string_view path);

/// All of `descriptor` in pieces of at most 4 MiB; returns the number of bytes.
std::int64_t read_pieces(int descriptor, const std::filesystem::path& shown,
                         const std::function<void(std::span<const std::byte>)>& take);
void write_all(int descriptor, const std::filesystem::path& shown, std::span<const std::byte> data);

/// Closes a descriptor at the end of its scope.
class Descriptor {
 public:
  explicit Descriptor(int descriptor) : descriptor_(descriptor) {}
  ~Descriptor();
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return descriptor_; }

 private:
  int descriptor_;
};

}  // namespace bcx::tracker
