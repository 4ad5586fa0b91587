// Pictures that somebody names on a command line.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "data/sample.h"

namespace bcx::cli {

struct PictureList {
  /// `path` as it is opened and shown; `relative` its name: below the folder that was named, or the
  /// path's last part. `id` as a data set of that root would have it.
  std::vector<data::Sample> pictures;
  /// Folders that cannot be listed, lines that are no paths, and why.
  std::vector<std::pair<std::string, std::string>> problems;
};

/// `arguments`: files, whatever they are called; folders with everything below that has the ending
/// of a picture (hidden names left out, sorted by name; links to files count, links to folders do
/// not); `-`: standard input, a path a line. `lists`: files of such lines. Empty lines are passed
/// over; relative paths start at the working folder. Nothing but folders is looked at here.
///
/// Throws bcx::Error: data for a folder without pictures or a list that cannot be read, usage when
/// nothing was named.
PictureList list_pictures(const std::vector<std::string>& arguments,
                          const std::vector<std::string>& lists);

}  // namespace bcx::cli
