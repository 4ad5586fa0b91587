// Who could have put a plugin where it is found.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include <sys/types.h>

namespace bcx::plugin {

/// The part of a file's status that decides.
struct Ownership {
  uid_t owner = 0;
  gid_t group = 0;
  mode_t mode = 0;
};

/// Why somebody else could have written a file or folder: `belongs to user 1001, neither me nor
/// root`. Nothing when only me and root could.
std::optional<std::string> objection(const Ownership& ownership, uid_t me, gid_t my_group);

/// The same for what is at `path` (links followed) and this process's effective user.
std::optional<std::string> distrust(const std::filesystem::path& path);

}  // namespace bcx::plugin
