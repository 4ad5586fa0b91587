// The preprocess interface: what is done to each picture once, when it is decoded, on every split.
//
//     [[preprocess]] name = "macenko"
//
// For a stain normaliser and the like, which are fitted on data and must treat test pictures as
// training ones. In the manifest: kind = "augmentation", and `stage = "preprocess"` in the
// component. The order of calls:
//
//     for p in preprocess: p.fit(training pictures, as the components before p left them)
//     for each picture of every part: for p in preprocess: p.apply(picture)
//
// or, where a run goes on or its model is used later, load_state() in place of fit(). Depends on
// nothing, LibTorch included.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace bcx::sdk {

/// Somebody else's pixels: [height, width, 3] uint8 RGB, row-major, contiguous.
struct Picture {
  std::span<std::uint8_t> rgb;
  std::int64_t height = 0, width = 0;
};

/// The training part's pictures, of the size that is kept after decoding. They are read from disk
/// when they are asked for, so that a component that needs few of them should ask for few.
class TrainingPictures {
 public:
  virtual ~TrainingPictures() = default;
  virtual std::int64_t size() const = 0;
  /// Picture `index`, from 0 to size() - 1; its memory is valid until the next call. Without pixels
  /// when the file cannot be read, which is reported elsewhere.
  virtual Picture read(std::int64_t index) = 0;
};

/// Base of all preprocess components.
class Preprocess {
 public:
  virtual ~Preprocess() = default;

  /// Takes from the training pictures whatever apply() needs. Called once, before any apply().
  /// Which pictures there are and their order depend on the data and the split alone, and the same
  /// ones must give the same state.
  virtual void fit(TrainingPictures& pictures) = 0;

  /// Changes the picture in place: a pure function of its pixels, the parameters and the state.
  ///
  /// Total: for any picture whatever it either does its work or leaves all pixels as they are and
  /// says why in a word or two ("blank"); such pictures are counted and told to the user. An empty
  /// text: done. Called from several threads at once.
  virtual std::string apply(Picture picture) const = 0;

  /// Everything that fit() found, as text; equal states give equal pictures. It is part of the key
  /// of the image cache and of each checkpoint.
  virtual std::string state() const = 0;
  /// The reverse. Throws std::invalid_argument for a text that state() did not give.
  virtual void load_state(const std::string& text) = 0;
};

}  // namespace bcx::sdk
