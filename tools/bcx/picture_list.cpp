#include "picture_list.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "base/error.h"
#include "base/hash.h"
#include "base/signals.h"
#include "base/text.h"
#include "data/scan.h"

namespace bcx::cli {
namespace {

namespace fs = std::filesystem;

class Lister {
 public:
  void add(const fs::path& path) {
    std::error_code none;
    if (fs::is_directory(path, none))
      add_folder(path);
    else
      add_file(path, path.filename().string());
  }

  /// A path a line; a line may end in CR LF.
  void add_lines(std::istream& lines) {
    for (std::string line; std::getline(lines, line);) {
      throw_if_stopped("listing pictures");
      if (line.ends_with('\r')) line.pop_back();
      if (line.find('\0') != std::string::npos)
        list.problems.emplace_back(line, "is no path: it holds a NUL byte");
      else if (!line.empty())
        add(line);
    }
  }

  PictureList list;

 private:
  void add_file(const fs::path& path, const std::string& name) {
    data::Sample sample;
    sample.id = stable_hash(name);
    sample.relative = name;
    sample.path = path;
    list.pictures.push_back(std::move(sample));
  }

  void add_folder(const fs::path& root) {
    std::vector<std::string> found, waiting{""};
    const auto problems = list.problems.size();
    while (!waiting.empty()) {
      throw_if_stopped("listing pictures");
      const std::string below = std::move(waiting.back());
      waiting.pop_back();
      look_into(root, below, found, waiting);
    }
    if (found.empty() && list.problems.size() == problems)
      throw Error(ExitCode::data, {"holds no picture", printable(root.string()),
                                   "PNG, JPEG, TIFF and BMP are looked for, by their endings"});
    std::sort(found.begin(), found.end());
    for (const auto& name : found) add_file(root / name, name);
  }

  void look_into(const fs::path& root, const std::string& below, std::vector<std::string>& found,
                 std::vector<std::string>& waiting) {
    std::error_code error;
    fs::directory_iterator entries(root / below, error);
    for (const fs::directory_iterator end; !error && entries != end; entries.increment(error)) {
      const auto name = entries->path().filename().string();
      if (name.starts_with('.')) continue;
      std::error_code none;
      // What is no file and has a picture's name is told when it is opened.
      if (entries->is_directory(none)) {
        if (!entries->is_symlink(none)) waiting.push_back(below + name + "/");
      } else if (data::is_picture_name(name)) {
        found.push_back(below + name);
      }
    }
    if (error)
      list.problems.emplace_back((root / below).string(),
                                 "cannot be listed: " + system_message(error.value()));
  }
};

}  // namespace

PictureList list_pictures(const std::vector<std::string>& arguments,
                          const std::vector<std::string>& lists) {
  Lister lister;
  for (const auto& argument : arguments) {
    if (argument == "-")
      lister.add_lines(std::cin);
    else
      lister.add(argument);
  }
  for (const auto& name : lists) {
    std::ifstream file(name);
    if (!file)
      throw Error(ExitCode::data, {"cannot be opened: " + system_message(errno), printable(name),
                                   "name a file with a path on each line"});
    lister.add_lines(file);
  }
  if (lister.list.pictures.empty() && lister.list.problems.empty())
    throw Error(ExitCode::usage, {"no picture was named", "",
                                  "name files or folders, --list FILE, or - for standard input"});
  return std::move(lister.list);
}

}  // namespace bcx::cli
