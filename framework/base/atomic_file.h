// Files that are there whole or not at all.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string_view>

namespace bcx {

/// Writes a file so that a reader, a crash or a full disk never sees half of it: a temporary file
/// in the same folder, write, fsync, rename, fsync of the folder.
///
///     AtomicFile file("best.safetensors");
///     file.write(header);
///     file.write(tensors);
///     file.commit();
///
/// Without commit() the temporary file is removed by the destructor and the old file stays as it
/// was. Every failure throws bcx::Error (storage) with the path and the system's reason; a failed
/// fsync is final for this file. One thread at a time.
class AtomicFile {
 public:
  explicit AtomicFile(std::filesystem::path path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(std::span<const std::byte> bytes);
  void write(std::string_view text);

  /// fsyncs what was written and gives the temporary file's path, so that the content can be
  /// verified before commit(). Nothing can be written afterwards.
  const std::filesystem::path& finish();
  /// finish() if that has not been called, then the rename and the folder's fsync.
  void commit();

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_, temporary_;
  int descriptor_ = -1;
  bool committed_ = false;
};

/// The whole of `text` as one AtomicFile.
void write_atomically(const std::filesystem::path& path, std::string_view text);

}  // namespace bcx
