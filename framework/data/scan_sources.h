// Inside of scan(): what each source gives before classes are numbered and filters are applied.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace bcx::data {

struct FoundSample {
  std::string relative, label;
  std::vector<std::string> attributes;  ///< aligned with Found::attribute_names
};

struct Found {
  std::filesystem::path root;  ///< canonical: paths of samples are root / relative
  std::vector<std::string> attribute_names;
  std::vector<FoundSample> samples;  ///< in no order
  /// Classes that the source has a place for, images in it or not, and that place.
  std::map<std::string, std::filesystem::path> classes;
};

/// Folders and pictures below `root / below`, see scan() for what counts and for links.
struct TreeListing {
  std::vector<std::string> images;  ///< below the root, '/' separated
  std::int64_t others = 0;          ///< files that are no pictures by their extension
  std::string other;                ///< one of them
};

/// `root` is canonical; `below` is "" or a path that ends in '/'. Iterative: depth costs no stack.
/// Throws bcx::Error (data; stopped).
TreeListing list_tree(const std::filesystem::path& root, const std::string& below);

/// Names of the folders directly in `folder`, sorted, without those that begin with a dot; links
/// count as list_tree() says.
std::vector<std::string> list_folders(const std::filesystem::path& root, const std::string& below);

/// `root` resolved. Throws bcx::Error (data) when it is not a folder.
std::filesystem::path resolved_root(const std::filesystem::path& root);

Found find_breakhis(const std::filesystem::path& root);
Found find_in_folders(const std::filesystem::path& root);

}  // namespace bcx::data
