// Loads libbcx_images.so at the first picture.

#include <fmt/format.h>

#include "base/error.h"
#include "base/shared_object.h"
#include "data/images/api.h"

namespace bcx::data::images {
namespace {

const Api& load() try {
  using Entry = const Api* (*)();
  const auto entry = reinterpret_cast<Entry>(load_host_symbol("bcx_images", "bcx_images_api"));
  const Api* table = entry();
  if (table->version != api_version)
    throw Error(ExitCode::other, {fmt::format("is of another build (version {}, expected {})",
                                              table->version, api_version),
                                  "libbcx_images.so",
                                  {}});
  return *table;
} catch (const Error& error) {
  ErrorParts parts = error.parts();
  if (parts.remedy.empty())
    parts.remedy =
        "pictures need libopencv-imgcodecs; data that `bcx data pack` made elsewhere do not";
  throw Error(error.code(), std::move(parts));
}

}  // namespace

const Api& api() {
  static const Api& table = load();
  return table;
}

}  // namespace bcx::data::images
