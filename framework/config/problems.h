// The mistakes found so far, with their places: an experiment file's are reported all at once.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "config/params.h"

namespace bcx::config {

class Problems {
 public:
  /// `files` in the order in which their mistakes are to be listed; grows as files are read.
  void know_file(const std::string& file) { files_.push_back(file); }
  void add(const Origin& origin, std::string what, std::string remedy = {});
  /// An error that carries its own place.
  void add(const Origin& origin, Error error);
  bool empty() const { return found_.empty(); }

  /// By file, line and column; then those of the environment and of the command line as they came.
  std::vector<Error> sorted() const;
  /// Throws ErrorList when there are any. Its code is theirs where they agree, else usage.
  void throw_if_any() const;

 private:
  struct Found {
    Origin origin;
    Error error;
  };
  std::vector<std::string> files_;
  std::vector<Found> found_;
};

}  // namespace bcx::config
