// The names of ImageNet's classes: framework/engine/imagenet_classes.txt, built in.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace bcx::engine {

/// The file's text: a comment, then one name a line.
extern const std::string_view imagenet_classes_text;

/// 1,000 names, in the order of the published classifiers' outputs: `tench`, `goldfish`, ...
std::span<const std::string> imagenet_classes();

}  // namespace bcx::engine
