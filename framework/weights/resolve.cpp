#include "weights/resolve.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/paths.h"
#include "base/text.h"

namespace bcx::weights {
namespace {

[[noreturn]] void fail_without(const std::string& what, std::string_view backbone, bool published) {
  const std::string fetch =
      published ? fmt::format("fetch them with `bcx weights fetch {}`, ", printable(backbone)) : "";
  throw Error(
      ExitCode::data,
      {what, "model.weights",
       fetch + "name a .safetensors file (model.weights = \"PATH\"), or start from random weights "
               "(model.weights = \"none\")"});
}

std::filesystem::path imagenet(std::string_view backbone, bool may_fetch) {
  const IndexEntry* entry = find_weights(backbone);
  if (!entry)
    fail_without(
        fmt::format("bcx knows no ImageNet weights for the backbone \"{}\"", printable(backbone)),
        backbone, false);
  if (is_cached(entry->name)) return cached_path(entry->name);
  if (!may_fetch)
    fail_without(fmt::format("the ImageNet weights of \"{}\" are not on this machine", entry->name),
                 backbone, true);
  try {
    return fetch_weights(*entry);
  } catch (const Error& error) {
    if (error.code() != ExitCode::data) throw;
    fail_without(fmt::format("the ImageNet weights of \"{}\" could not be fetched: {}", entry->name,
                             error.parts().what),
                 backbone, true);
  }
}

}  // namespace

std::filesystem::path cached_path(std::string_view name) {
  return cache_folder() / "weights" / fmt::format("{}.safetensors", name);
}

bool is_cached(std::string_view name) {
  std::error_code failed;
  return std::filesystem::is_regular_file(cached_path(name), failed);
}

std::filesystem::path resolve_weights(std::string_view weights, std::string_view backbone,
                                      bool may_fetch) {
  if (weights == "none") return {};
  if (weights == "imagenet") return imagenet(backbone, may_fetch);
  std::filesystem::path path(weights);
  std::error_code failed;
  if (!std::filesystem::is_regular_file(path, failed))
    throw Error(ExitCode::data,
                {"no such weights file", printable(weights),
                 "model.weights is `none`, `imagenet`, or a .safetensors file's path"});
  return path;
}

}  // namespace bcx::weights
