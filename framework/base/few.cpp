#include "base/few.h"

#include <iterator>

#include "base/text.h"

namespace bcx {

std::string few(std::span<const std::string> names) {
  constexpr std::size_t most = 12, of_many = 5;
  if (names.size() <= most) return join(names, ", ");
  return join(names.first(of_many), ", ") + ", ... (" + grouped(std::ssize(names)) + " in all)";
}

}  // namespace bcx
