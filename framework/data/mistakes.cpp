#include "data/mistakes.h"

#include <fmt/format.h>

namespace bcx::data {

void Mistakes::add(ErrorParts parts) {
  if (count_++ < shown) first_.emplace_back(ExitCode::data, std::move(parts));
}

void Mistakes::throw_if_any() const {
  if (first_.empty()) return;
  auto errors = first_;
  if (count_ > shown)
    errors.emplace_back(ExitCode::data, fmt::format("{} more like these", count_ - shown));
  throw ErrorList(std::move(errors));
}

}  // namespace bcx::data
