#include "tracker/host.h"

#include <fmt/format.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <fstream>
#include <sstream>
#include <utility>

#include "base/error.h"
#include "base/text.h"

namespace bcx::tracker {
namespace {

std::string first_line(const char* path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

/// The second field is the program's name in parentheses and may hold anything: count from its end.
std::int64_t start_ticks() {
  const std::string stat = first_line("/proc/self/stat");
  const auto end = stat.rfind(')');
  if (end == std::string::npos) return 0;
  std::istringstream fields(stat.substr(end + 1));
  std::string field;
  for (int at = 3; at <= 22 && fields >> field; ++at)
    if (at == 22) return std::strtoll(field.c_str(), nullptr, 10);
  return 0;
}

}  // namespace

ProcessIdentity this_process() {
  std::array<char, 256> host{};
  gethostname(host.data(), host.size() - 1);
  return {host.data(), first_line("/proc/sys/kernel/random/boot_id"), getpid(), start_ticks()};
}

std::int64_t now_microseconds() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::string_view network_file_system(std::uint64_t magic) {
  static constexpr std::array<std::pair<std::uint64_t, std::string_view>, 18> known{{
      {0x6969, "NFS"},
      {0x517B, "SMB"},
      {0xFE534D42, "SMB"},
      {0xFF534D42, "CIFS"},
      {0x0BD00BD0, "Lustre"},
      {0x65735546, "FUSE"},
      {0x47504653, "GPFS"},
      {0x00C36400, "Ceph"},
      {0x5346414F, "AFS"},
      {0x6B414653, "AFS"},
      {0x01021997, "9P"},
      {0x19830326, "BeeGFS"},
      {0x7461636F, "OCFS2"},
      {0x01161970, "GFS2"},
      {0x73757245, "Coda"},
      {0x564C, "NCP"},
      {0x20030528, "OrangeFS"},
      {0x786F4256, "a VirtualBox folder"},
  }};
  for (const auto& [number, name] : known)
    if (number == (magic & 0xFFFFFFFF)) return name;
  return {};
}

void refuse_network_file_system(const std::filesystem::path& folder, std::uint64_t magic) {
  const auto name = network_file_system(magic);
  if (name.empty()) return;
  throw Error(
      ExitCode::storage,
      {fmt::format("the tracker cannot write here: this is a network file system ({}), "
                   "where SQLite's locks and shared memory do not work",
                   name),
       printable(folder.string()),
       "write to a database on a local disk (--tracker /tmp/bcx.db); `bcx merge` brings several "
       "together"});
}

void refuse_network_file_system(const std::filesystem::path& folder) {
  struct statfs facts {};
  if (statfs(folder.c_str(), &facts) != 0)
    throw Error(ExitCode::storage, {"cannot look at the folder: " + system_message(errno),
                                    printable(folder.string()), ""});
  // f_type is signed on some machines: only its lower 32 bits mean something.
  refuse_network_file_system(folder, static_cast<std::uint32_t>(facts.f_type));
}

}  // namespace bcx::tracker
