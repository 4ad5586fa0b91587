// check_files(): what an experiment names and the file system has not.

#include <fmt/format.h>

#include "base/text.h"
#include "config/load.h"

namespace bcx::config {
namespace {

namespace fs = std::filesystem;

class Files {
 public:
  explicit Files(const Experiment& experiment) : experiment_(experiment) {}

  std::vector<Error> run() {
    root();
    for (const auto& file : experiment_.data.split.files)
      need_file("data.split.files", file,
                "a fold file is one of lines such as IMAGE.png|100|1|train");
    const auto& weights = experiment_.model.weights;
    if (weights != "none" && weights != "imagenet")
      need_file("model.weights", weights,
                "give the path of a .safetensors file, \"imagenet\" or \"none\"");
    return std::move(errors_);
  }

 private:
  void root() {
    const auto& data = experiment_.data;
    const bool folder = data.source == "breakhis" || data.source == "folders";
    const std::string remedy =
        "set data.root, or BCX_DATA; bcx data demo DIR draws images to try with";
    std::error_code failed;
    if (!fs::exists(data.root, failed))
      add("data.root",
          fmt::format("no such {} \"{}\"", folder ? "folder" : "file or folder", shown(data.root)),
          remedy);
    else if (folder && !fs::is_directory(data.root, failed))
      add("data.root", fmt::format("\"{}\" is no folder", shown(data.root)), remedy);
  }

  void need_file(const char* key, const fs::path& path, std::string remedy) {
    std::error_code failed;
    if (!fs::exists(path, failed))
      add(key, fmt::format("no such file \"{}\"", shown(path)), std::move(remedy));
    else if (fs::is_directory(path, failed))
      add(key, fmt::format("\"{}\" is a folder, expected a file", shown(path)), std::move(remedy));
  }

  void add(std::string_view key, const std::string& what, std::string remedy) {
    std::string where;
    for (const auto& entry : experiment_.resolved)
      if (entry.key == key) where = entry.origin.text();
    errors_.emplace_back(ExitCode::data,
                         ErrorParts{fmt::format("{}: {}", key, what), where, std::move(remedy)});
  }

  static std::string shown(const fs::path& path) { return printable(path.string()); }

  const Experiment& experiment_;
  std::vector<Error> errors_;
};

}  // namespace

std::vector<Error> check_files(const Experiment& experiment) {
  return Files(experiment).run();
}

}  // namespace bcx::config
