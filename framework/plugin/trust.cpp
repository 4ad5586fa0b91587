#include "plugin/trust.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/error.h"

namespace bcx::plugin {

std::optional<std::string> objection(const Ownership& ownership, uid_t me, gid_t my_group) {
  if (ownership.owner != me && ownership.owner != 0)
    return fmt::format("belongs to user {}, who is neither me nor root; use a copy of your own",
                       ownership.owner);
  if (ownership.mode & S_IWOTH) return "is writable by everybody; chmod o-w";
  if ((ownership.mode & S_IWGRP) && ownership.group != my_group)
    return fmt::format("is writable by group {}, which is not my own; chmod g-w", ownership.group);
  return std::nullopt;
}

std::optional<std::string> distrust(const std::filesystem::path& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0)
    return fmt::format("cannot be opened: {}", system_message(errno));
  return objection({status.st_uid, status.st_gid, status.st_mode}, geteuid(), getegid());
}

}  // namespace bcx::plugin
