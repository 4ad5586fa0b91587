#include "data_source.h"

namespace bcx::cli {

std::string guess_source(const std::filesystem::path& root) {
  if (std::filesystem::is_regular_file(root))
    return root.extension() == ".csv" ? "manifest" : "packed";
  if (std::filesystem::exists(root / "histology_slides")) return "breakhis";
  return std::filesystem::exists(root / "manifest.csv") ? "manifest" : "folders";
}

}  // namespace bcx::cli
