#include "data/read_ahead.h"

#include <sys/mman.h>
#include <unistd.h>

namespace bcx::data {

void read_ahead(const PixelView& view, std::span<const std::int64_t> indexes) noexcept {
  if (!view.mapped) return;
  static const auto page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
  const auto bytes = static_cast<std::uintptr_t>(view.height * view.width * 3);
  for (const auto index : indexes) {
    const auto first = reinterpret_cast<std::uintptr_t>(view.image(index));
    const auto begin = first & ~(page - 1);
    madvise(reinterpret_cast<void*>(begin), first + bytes - begin, MADV_WILLNEED);
  }
}

}  // namespace bcx::data
