// `bcx plugins new`: a project for a plugin of one's own, from the templates of this installation.

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <memory>

#include "base/error.h"
#include "base/paths.h"
#include "base/shared_object.h"
#include "base/text.h"
#include "plugins_author.h"

namespace bcx::cli {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::string name, kind, folder;
};

void require_name(const std::string& name) {
  const bool fine =
      !name.empty() && name.size() <= 64 && name[0] >= 'a' && name[0] <= 'z' &&
      name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string::npos;
  if (!fine)
    throw Error(ExitCode::usage,
                {fmt::format("\"{}\" is no plugin's name", printable(name)), "NAME",
                 "begin with a letter and use a-z, 0-9 and _, at most 64 of them"});
}

/// `my_net` as C++ names classes: `MyNet`.
std::string class_name(const std::string& name) {
  std::string result;
  for (const auto& part : split(name, '_')) {
    if (part.empty()) continue;
    result += static_cast<char>(part[0] >= 'a' ? part[0] - 'a' + 'A' : part[0]);
    result += part.substr(1);
  }
  return result;
}

fs::path templates(const std::string& kind) {
  const auto folder = library_folder().parent_path() / "share/bcx/templates" / kind;
  if (!fs::is_directory(folder))
    throw Error(ExitCode::other, {"this installation of bcx lacks its templates",
                                  printable(folder.string()), "install bcx again"});
  return folder;
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
  return text;
}

std::string filled_in(const std::string& text, const Options& options) {
  return replaced(replaced(text, "@NAME@", options.name), "@CLASS@", class_name(options.name));
}

void require_free(const fs::path& folder) {
  std::error_code ignored;
  if (fs::exists(folder, ignored) && !fs::is_empty(folder, ignored))
    throw Error(ExitCode::usage, {"is there and not empty", printable(folder.string()),
                                  "give another place with --dir"});
}

/// Files of the kind's folder, then those that all kinds share.
void write_project(const Options& options, const fs::path& target) {
  for (const auto& source : {templates(options.kind), templates("common")})
    for (const auto& entry : fs::directory_iterator(source)) {
      const auto text = read_text(entry.path(), 1 << 20, ExitCode::other);
      const auto file = target / filled_in(entry.path().filename().string(), options);
      std::ofstream out(file, std::ios::binary);
      out << filled_in(text, options);
      if (!out.flush())
        throw Error(ExitCode::storage, {"cannot be written", printable(file.string()), {}});
    }
}

int create(Options options) {
  require_name(options.name);
  if (options.folder.empty()) options.folder = options.name;
  const fs::path target = options.folder;
  require_free(target);
  std::error_code failed;
  fs::create_directories(target, failed);
  if (failed)
    throw Error(
        ExitCode::storage,
        {fmt::format("cannot be made: {}", failed.message()), printable(target.string()), {}});
  write_project(options, target);
  // The installed tree has lib/cmake/bcx below its root, and so has the build tree.
  fmt::print(
      "{} \"{}\" in {}; to build, check and train it:\n\n"
      "  cd {}\n"
      "  cmake -B build -DCMAKE_PREFIX_PATH={}\n"
      "  cmake --build build\n"
      "  ctest --test-dir build\n",
      options.kind, options.name, printable(target.string()), printable(target.string()),
      printable(library_folder().parent_path().string()));
  return 0;
}

}  // namespace

void add_plugins_new(CLI::App& plugins, Action& action) {
  auto options = std::make_shared<Options>();
  auto* command =
      plugins.add_subcommand("new", "Start a plugin of your own: a project that builds");
  command->add_option("NAME", options->name, "The plugin's and its component's name")->required();
  command->add_option("--kind", options->kind, "backbone, augmentation, optimizer or callback")
      ->required()
      ->check(CLI::IsMember({"backbone", "augmentation", "optimizer", "callback"}));
  command->add_option("--dir", options->folder, "A new or empty folder (default: NAME)");
  command->footer("Example: bcx plugins new my_net --kind backbone");
  command->callback([options, &action] { action = [options] { return create(*options); }; });
}

}  // namespace bcx::cli
