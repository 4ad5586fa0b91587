// `bcx bench data`: from files to resident pixels.
#include <chrono>

#include "bench.h"
#include "data/decode.h"
#include "data/demo.h"
#include "data/scan.h"

namespace bcx::cli {
namespace {

constexpr int repetitions = 5;

template <typename Work>
double seconds_of(const Work& work) {
  const auto begun = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
}

}  // namespace

void bench_data(const BenchOptions& options, const std::filesystem::path& folder,
                const TakeFigure& take) {
  const auto root = folder / "pictures";
  data::DemoOptions drawing;
  drawing.images = options.images;
  drawing.size = 700;
  data::write_demo(root, drawing);

  config::DataConfig config;
  config.root = root;
  config.image_size = options.image_size;
  const auto count = static_cast<double>(options.images);
  data::SampleTable table;
  std::vector<double> scanned, decoded, opened;
  for (int i = 0; i < repetitions; ++i)
    scanned.push_back(count / seconds_of([&] { table = data::scan(config); }));
  for (int i = 0; i < repetitions; ++i) {
    data::DecodeOptions decoding;
    decoding.cache = folder / ("cache" + std::to_string(i));
    decoded.push_back(count / seconds_of([&] { data::decode_all(table, config, decoding); }));
    opened.push_back(count / seconds_of([&] { data::decode_all(table, config, decoding); }));
  }
  take(median_of("names found", scanned, "names/s"));
  take(median_of("pictures decoded, scaled and kept", decoded, "images/s"));
  take(median_of("pictures opened from the cache", opened, "images/s"));
}

}  // namespace bcx::cli
