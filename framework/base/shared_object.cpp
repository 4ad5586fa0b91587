#include "base/shared_object.h"

#include <dlfcn.h>

#include <map>
#include <mutex>

#define BOOST_DLL_USE_STD_FS
#include <fmt/format.h>
#include <boost/dll/shared_library.hpp>

#include "base/text.h"

namespace bcx {
namespace {

using Library = boost::dll::shared_library;

// On the heap and never destroyed: at exit static objects go away in an order that nobody chose,
// and a library closed before its own threads and registrations are gone crashes.
struct Registry {
  std::mutex mutex;
  std::map<std::filesystem::path, Library> libraries;
};

Registry& registry() {
  static auto* const instance = new Registry;
  return *instance;
}

// The loader's words begin with the library's path, which the error says already.
std::string loader_message(const std::string& path) {
  const char* said = dlerror();
  std::string text = said ? said : "no reason given";
  if (text.starts_with(path + ": ")) text.erase(0, path.size() + 2);
  return printable(text);
}

Library& open(const std::filesystem::path& file, ExitCode code) {
  auto& libraries = registry().libraries;
  if (const auto found = libraries.find(file); found != libraries.end()) return found->second;
  Library library;
  boost::dll::fs::error_code failed;
  using namespace boost::dll::load_mode;
  library.load(file, failed, rtld_now | rtld_local);
  if (failed)
    throw Error(code, {fmt::format("cannot be loaded: {}", loader_message(file.string())),
                       printable(file.string()),
                       {}});
  return libraries.emplace(file, std::move(library)).first->second;
}

}  // namespace

std::filesystem::path library_folder() {
  Dl_info info{};
  if (!dladdr(reinterpret_cast<void*>(&library_folder), &info) || !info.dli_fname)
    throw Error(ExitCode::other, "the folder of bcx's libraries is unknown");
  return std::filesystem::canonical(info.dli_fname).parent_path();
}

void* load_symbol(const std::filesystem::path& file, const std::string& symbol, ExitCode code) {
  const std::lock_guard lock(registry().mutex);
  Library& library = open(file, code);
  if (!library.has(symbol))
    throw Error(code, {fmt::format("has no symbol \"{}\"", symbol), printable(file.string()), {}});
  return static_cast<void*>(&library.get<char>(symbol));
}

void* load_host_symbol(std::string_view library, const std::string& symbol) {
  const auto file = library_folder() / fmt::format("lib{}.so", library);
  if (!std::filesystem::exists(file))
    throw Error(ExitCode::other, {"this part of bcx is not there", printable(file.string()),
                                  "build or install bcx again"});
  try {
    return load_symbol(file, symbol, ExitCode::other);
  } catch (const Error& error) {
    auto parts = error.parts();
    parts.remedy =
        fmt::format("`ldd {}` lists what it needs; build or install bcx again", parts.where);
    throw Error(ExitCode::other, std::move(parts));
  }
}

}  // namespace bcx
