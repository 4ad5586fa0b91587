// Finds and loads libbcx_images.so.

#include <dlfcn.h>
#include <fmt/format.h>

#include <filesystem>

#include "base/error.h"
#include "base/text.h"
#include "data/images/api.h"

namespace bcx::data::images {
namespace {

constexpr const char* file_name = "libbcx_images.so";

[[noreturn]] void fail(const std::string& why) {
  throw Error(
      ExitCode::other,
      {fmt::format("pictures cannot be read or written here: {}", printable(why)), file_name,
       "install libopencv-imgcodecs, or use data that `bcx data pack` made elsewhere"});
}

// The folder of the object that holds this code: bcx's libraries stand side by side, and beside
// bin/ when this code is part of an executable.
std::filesystem::path find_library() {
  Dl_info info{};
  if (dladdr(reinterpret_cast<const void*>(&api), &info) == 0 || !info.dli_fname)
    fail("the folder of bcx's libraries is not known");
  std::error_code failed;
  const auto folder = std::filesystem::canonical(info.dli_fname, failed).parent_path();
  for (const auto& candidate : {folder / file_name, folder.parent_path() / "lib" / file_name})
    if (std::filesystem::exists(candidate, failed)) return candidate;
  fail(fmt::format("not found in {}", folder.string()));
}

const Api& load() {
  const auto path = find_library();
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library) fail(dlerror());
  using Entry = const Api* (*)();
  const auto entry = reinterpret_cast<Entry>(dlsym(library, "bcx_images_api"));
  if (!entry) fail("it has no bcx_images_api");
  const Api* table = entry();
  if (table->version != api_version)
    fail(fmt::format("it is of another build (version {}, expected {})", table->version,
                     api_version));
  return *table;
}

}  // namespace

const Api& api() {
  static const Api& table = load();
  return table;
}

}  // namespace bcx::data::images
