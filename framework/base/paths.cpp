#include "base/paths.h"

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <fstream>

#include "base/error.h"
#include "base/text.h"

namespace bcx {
namespace {

/// $HOME, else what the system knows of the user; /tmp, where everybody may write, comes last.
std::filesystem::path home() {
  if (const char* told = std::getenv("HOME"); told && *told) return told;
  passwd entry{}, *found = nullptr;
  std::array<char, 16'384> text;
  getpwuid_r(geteuid(), &entry, text.data(), text.size(), &found);
  return found && *found->pw_dir == '/' ? found->pw_dir : "/tmp";
}

std::filesystem::path xdg(const char* variable, const char* below_home) {
  if (const char* told = std::getenv(variable); told && *told == '/')
    return std::filesystem::path(told) / "bcx";
  return home() / below_home / "bcx";
}

}  // namespace

std::filesystem::path executable_path() {
  return std::filesystem::read_symlink("/proc/self/exe");
}
std::filesystem::path cache_folder() {
  return xdg("XDG_CACHE_HOME", ".cache");
}
std::filesystem::path data_folder() {
  return xdg("XDG_DATA_HOME", ".local/share");
}

std::string read_text(const std::filesystem::path& path, std::uintmax_t limit, ExitCode code) {
  const std::string where = printable(path.string());
  std::error_code failed;
  if (std::filesystem::is_directory(path, failed))
    throw Error(code, {"is a folder, expected a file", where, {}});
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file)
    throw Error(code, {fmt::format("cannot be opened: {}", system_message(errno)), where, {}});
  // In growing pieces: the limit may be large and the file small, and a pipe has no size to ask
  // for.
  std::string text;
  for (bool more = true; more && text.size() <= limit;) {
    const std::size_t have = text.size();
    const auto want = static_cast<std::size_t>(
        std::min<std::uintmax_t>(std::max<std::size_t>(have, 1 << 16), limit + 1 - have));
    text.resize(have + want);
    file.read(text.data() + have, static_cast<std::streamsize>(want));
    if (file.bad()) throw Error(code, {"cannot be read", where, {}});
    const auto got = static_cast<std::size_t>(file.gcount());
    text.resize(have + got);
    more = got == want;
  }
  if (text.size() > limit)
    throw Error(code, {fmt::format("is larger than {}", human_bytes(limit)), where, {}});
  return text;
}

}  // namespace bcx
