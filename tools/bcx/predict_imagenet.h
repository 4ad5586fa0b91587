// `bcx predict --imagenet`: what a published network sees in any picture.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace bcx::cli {

struct ImageNetOptions {
  std::vector<std::string> paths;  ///< pictures, or folders of pictures
  std::string backbone;
  std::string weights;  ///< `imagenet` or a safetensors file
  std::int64_t top = 5;
  std::string device;
  std::vector<std::string> plugin_folders;
  bool imagenet = false;  ///< said, as it must be
  bool json = false;
};

/// Prints the classes of each picture. Gives the exit code: data (3) when a picture could not be
/// read, the others are predicted all the same. Throws bcx::Error.
int predict_imagenet(const ImageNetOptions& options);

}  // namespace bcx::cli
