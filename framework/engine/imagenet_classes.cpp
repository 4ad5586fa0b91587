#include "engine/imagenet_classes.h"

#include <vector>

#include "base/text.h"

namespace bcx::engine {

std::span<const std::string> imagenet_classes() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> lines;
    for (auto& line : split(imagenet_classes_text, '\n'))
      if (!line.empty() && line.front() != '#') lines.emplace_back(std::move(line));
    return lines;
  }();
  return names;
}

}  // namespace bcx::engine
