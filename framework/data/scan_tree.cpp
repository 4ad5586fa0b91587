#include <algorithm>
#include <array>
#include <string_view>
#include <system_error>

#include "base/error.h"
#include "base/signals.h"
#include "base/text.h"
#include "data/scan.h"
#include "data/scan_sources.h"

namespace bcx::data {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 6> picture_extensions{".png", ".jpg",  ".jpeg",
                                                             ".tif", ".tiff", ".bmp"};

[[noreturn]] void fail(const fs::path& where, std::string what, std::string remedy = {}) {
  throw Error(ExitCode::data, {std::move(what), printable(where.string()), std::move(remedy)});
}

bool lies_within(const fs::path& path, const fs::path& root) {
  return std::mismatch(root.begin(), root.end(), path.begin(), path.end()).first == root.end();
}

enum class Kind { file, folder, other };

// What an entry is, links resolved. A link to a folder inside the root is `other`: what it leads to
// is found at its own place, and a loop ends here.
Kind kind_of(const fs::directory_entry& entry, const fs::path& root) {
  std::error_code error;
  if (!entry.is_symlink(error)) {
    if (entry.is_directory(error)) return Kind::folder;
    return entry.is_regular_file(error) ? Kind::file : Kind::other;
  }
  const fs::path target = fs::canonical(entry.path(), error);
  if (error) {
    fail(entry.path(), "a link that leads nowhere (" + error.message() + ")",
         "remove it, or restore what it points to");
  }
  if (!lies_within(target, root)) {
    fail(entry.path(), "a link that leaves the data folder (to " + printable(target.string()) + ")",
         "copy what it points to into the folder, or set data.root to where the files are");
  }
  return fs::is_regular_file(target, error) ? Kind::file : Kind::other;
}

// Calls visit(name, kind) for every entry of a folder that is not hidden.
template <typename Visit>
void each_entry(const fs::path& root, const std::string& below, const Visit& visit) {
  const fs::path folder = root / below;
  std::error_code error;
  fs::directory_iterator entries(folder, error);
  if (error) fail(folder, "cannot be listed (" + error.message() + ")", "check its permissions");
  for (const fs::directory_iterator end; entries != end;) {
    const std::string name = entries->path().filename().string();
    if (!name.starts_with('.')) visit(name, kind_of(*entries, root));
    entries.increment(error);
    if (error) fail(folder, "cannot be listed (" + error.message() + ")");
  }
}

}  // namespace

bool is_picture_name(std::string_view name) {
  const auto dot = name.rfind('.');
  if (dot == std::string_view::npos) return false;
  const std::string extension = lower(name.substr(dot));
  return std::find(picture_extensions.begin(), picture_extensions.end(), extension) !=
         picture_extensions.end();
}

fs::path resolved_root(const fs::path& root) {
  std::error_code error;
  const fs::path resolved = fs::canonical(root, error);
  if (error) {
    fail(root, "data.root is not there (" + error.message() + ")",
         "set data.root or BCX_DATA to the folder with the images, or draw some with "
         "`bcx data demo DIR`");
  }
  if (!fs::is_directory(resolved, error)) {
    fail(root, "data.root is not a folder", "name the folder that holds the images");
  }
  return resolved;
}

TreeListing list_tree(const fs::path& root, const std::string& below) {
  TreeListing listing;
  std::vector<std::string> waiting{below};
  while (!waiting.empty()) {
    throw_if_stopped("scan");
    const std::string folder = std::move(waiting.back());
    waiting.pop_back();
    each_entry(root, folder, [&](const std::string& name, Kind kind) {
      if (kind == Kind::folder) {
        waiting.push_back(folder + name + "/");
      } else if (kind == Kind::file && is_picture_name(name)) {
        listing.images.push_back(folder + name);
      } else if (kind == Kind::file) {
        // The smallest name, so that messages do not depend on the folder's order.
        if (listing.others++ == 0 || folder + name < listing.other) listing.other = folder + name;
      }
    });
  }
  return listing;
}

std::vector<std::string> list_folders(const fs::path& root, const std::string& below) {
  std::vector<std::string> names;
  each_entry(root, below, [&](const std::string& name, Kind kind) {
    if (kind == Kind::folder) names.push_back(name);
  });
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace bcx::data
