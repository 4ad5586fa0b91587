// Any text as the manifest of a checkpoint: what is taken, the loop can read without looking again.
#include <cmath>
#include <limits>
#include <vector>

#include "tests/fuzz/fuzz.h"
#include "train/checkpoint_manifest.h"

using namespace bcx;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::take_or_refuse([&] {
    const auto manifest = train::parse_manifest(fuzz::text_of(data, size), "a.safetensors");
    for (const char* key : {"epoch", "samples", "step", "batch_size", "epochs", "epoch_batch_size"})
      fuzz::require(manifest.at(key).get<std::int64_t>() >= 0, "counts are not negative");
    fuzz::require(std::abs(manifest.at("learning_rate").get<double>()) <
                      std::numeric_limits<double>::infinity(),
                  "rates are finite");
    static_cast<void>(manifest.at("frozen").get<std::vector<std::string>>());
    for (const auto& [name, state] : manifest.at("callbacks").items())
      static_cast<void>(state.get<std::string>());
    if (manifest.contains("validating")) {
      const auto& validating = manifest.at("validating");
      for (const auto& [name, value] : validating.at("metrics").items())
        static_cast<void>(train::number_of(value.get<std::string>()));
      for (const auto& request : validating.at("checkpoints"))
        fuzz::require(train::is_checkpoint_tag(request.at("tag").get<std::string>()),
                      "what a manifest asks for lies in its folder");
    }
    fuzz::require(manifest.value("parts", std::int64_t{1}) >= 0, "parts are not negative");
  });
  return 0;
}
