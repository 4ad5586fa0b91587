// Small pictures for a page: from the data's files, or from what `explain` stored with the run.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "data/pack.h"
#include "report/study.h"

namespace bcx::report {

/// Thumbnails of a data set's images as `data:` addresses. The library behind the decoders is
/// loaded at the first picture; what cannot be read is counted and left out: a report must come
/// about on a machine without the images. One thread.
class Pictures {
 public:
  /// No thumbnails at all.
  Pictures() = default;
  /// `root` empty: where the data lay when the run was made.
  Pictures(const tracker::DatasetRow& dataset, const std::filesystem::path& root);

  struct Picture {
    std::string address;  ///< empty: there is none
    double aspect = 0;    ///< width over height
  };
  /// `name` is the sample's: a plain path below the root.
  const Picture& picture(const std::string& name);

  std::int64_t missing() const { return missing_; }
  const std::string& reason() const { return reason_; }  ///< of the first that is missing

 private:
  Picture load(const std::string& name);
  void open_pack();

  std::filesystem::path root_;
  bool packed_ = false, wanted_ = false;
  std::optional<data::PackedData> pack_;
  std::map<std::string, std::size_t> position_;  // in the pack
  std::map<std::string, Picture> known_;
  std::int64_t missing_ = 0;
  std::string reason_;
};

/// Pictures that `bcx explain` stored: artifacts of kind "explain", of which those whose name ends
/// in `.json` say what the PNG files beside them show:
///
///     {"method": "grad-cam", "layer": "features",
///      "sanity": {"correlation": 0.12},
///      "maps": [{"sample": "00c0ffee00c0ffee", "name": "benign/x.png", "file": "x.png",
///                "class": "malignant"}]}
///
/// `sample` is the sample's id in 16 hexadecimal digits, `file` an artifact's name or that of one
/// in the same folder; all other fields are optional.
class Explanations {
 public:
  Explanations(const tracker::Reader& reader, const Study& study);

  bool empty() const { return maps_.empty(); }
  const std::string& method() const { return method_; }
  /// Of the map with that of a model whose last layer's weights are random; none: not measured.
  std::optional<double> sanity() const { return sanity_; }

  struct Map {
    std::string file;  ///< relative to the tracker's folder
    std::string of_class, name;
  };
  const std::map<std::uint64_t, Map>& maps() const { return maps_; }
  /// A `data:` address; empty without a map of this sample, or when its file cannot be read. The
  /// map of a picture that was stretched to a square is shown with the picture's own `aspect` (0:
  /// not known).
  std::string address(std::uint64_t sample, double aspect) const;

 private:
  void read(const tracker::Reader& reader, const Study& study, const tracker::ArtifactRow& sidecar);

  std::filesystem::path folder_;
  bool stretched_ = true;
  std::string method_ = "Grad-CAM";
  std::optional<double> sanity_;
  std::map<std::uint64_t, Map> maps_;
};

}  // namespace bcx::report
