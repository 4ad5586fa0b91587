// From a folder or a list of files to a table of samples: names only, nothing is decoded.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/experiment.h"
#include "data/sample.h"

namespace bcx::data {

/// Lists the images that `config` asks for, with classes and attributes, sorted by relative path.
///
/// Sources:
///   breakhis   the tree of BreaKHis_v1 anywhere below the root (data/breakhis.h)
///   folders    `<class>/**` or fixed parts `train/<class>/**`, `validation/<class>/**` (also
///   `val`,
///              `valid`), `test/<class>/**`; fixed parts become the attribute `part`. Other folders
///              beside fixed parts are not read.
///   manifest   a CSV file (data/manifest.h): the root is the file, or a folder with manifest.csv
///   packed     the table inside the file (data/pack.h), as it was packed: what follows was applied
///              then
///
/// `config.pattern` adds the attributes that its named groups take from each relative path
/// (data/scan_pattern.h). `config.magnifications` keeps only those values of the attribute
/// `magnification`. `config.classes` gives the order of the classes and leaves other classes out.
///
/// Only regular files with the extension of a picture (png, jpg, jpeg, tif, tiff, bmp) count; names
/// that begin with a dot do not. A link to a file inside the root is a file. A link to a folder
/// inside the root is passed over (what it leads to is found at its own place, so that loops end);
/// a link that leaves the root is an error, and so is one that leads nowhere.
///
/// Linear in the number of names (plus the sort). Throws bcx::Error or ErrorList (data) for a
/// missing root, an unknown or empty class, fewer than two classes, no images, a name that the
/// grammar or the pattern does not know.
SampleTable scan(const config::DataConfig& config);

/// Whether a file's name has the ending of a picture: png, jpg, jpeg, tif, tiff, bmp, in any case.
bool is_picture_name(std::string_view name);

/// Attributes that stand for a person, a slide or any unit whose images belong on one side of a
/// split, as far as `table` has them: case, patient, group, slide, then `patient` (data.patient)
/// and `by` (data.split.by) where they are attributes too.
std::vector<std::string> group_keys(const SampleTable& table, std::string_view patient = {},
                                    std::string_view by = {});

}  // namespace bcx::data
