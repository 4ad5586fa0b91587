#include "data/read_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/error.h"
#include "base/text.h"

namespace bcx::data {
namespace {

class Descriptor {
 public:
  explicit Descriptor(const std::filesystem::path& path)
      // O_NONBLOCK: opening a pipe that nobody writes to would wait for ever.
      : number_(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {}
  ~Descriptor() {
    if (number_ >= 0) close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int number() const { return number_; }

 private:
  int number_;
};

[[noreturn]] void fail(const std::filesystem::path& path, std::string what) {
  throw Error(ExitCode::data, {std::move(what), printable(path.string()), {}});
}

}  // namespace

std::vector<std::byte> read_file(const std::filesystem::path& path, std::uintmax_t limit) {
  const Descriptor file(path);
  struct stat status {};
  if (file.number() < 0 || fstat(file.number(), &status) != 0)
    fail(path, fmt::format("cannot be opened: {}", system_message(errno)));
  if (!S_ISREG(status.st_mode)) fail(path, "is not a file");
  const auto size = static_cast<std::uintmax_t>(status.st_size);
  if (size > limit)
    fail(path, fmt::format("is {}, larger than {}", human_bytes(size), human_bytes(limit)));
  std::vector<std::byte> bytes(size);
  for (std::size_t have = 0; have < bytes.size();) {
    const ssize_t got = read(file.number(), bytes.data() + have, bytes.size() - have);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail(path, fmt::format("cannot be read: {}", system_message(errno)));
    if (got == 0) fail(path, "became shorter while it was read");
    have += static_cast<std::size_t>(got);
  }
  return bytes;
}

}  // namespace bcx::data
