// decode_all(): order, threads, quarantine, and the cache.
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <fstream>
#include <new>
#include <span>

#include "base/error.h"
#include "base/signals.h"
#include "data/cache.h"
#include "data/decode.h"
#include "data/resize.h"
#include "data_set.h"
#include "make_png.h"
#include "tests/catch.h"

using namespace bcx;
using namespace bcx::data;
using namespace bcx::test;

namespace fs = std::filesystem;

namespace {

DecodeOptions without_cache() {
  DecodeOptions options;
  options.use_cache = false;
  return options;
}

// Options that keep the cache in `folder` and collect warnings.
struct Cached {
  explicit Cached(const fs::path& folder) {
    options.cache = folder;
    options.warn = [this](const std::string& text) { warnings.push_back(text); };
  }
  DecodeOptions options;
  std::vector<std::string> warnings;
};

fs::path only_file(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder)) files.push_back(entry.path());
  REQUIRE(files.size() == 1);
  return files[0];
}

void flip_byte(const fs::path& path, std::int64_t at) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(at, at < 0 ? std::ios::end : std::ios::beg);
  const int old = file.get();
  file.seekp(at, at < 0 ? std::ios::end : std::ios::beg);
  file.put(static_cast<char>(old ^ 1));
}

std::string error_of(const SampleTable& table, const config::DataConfig& config,
                     const DecodeOptions& options) {
  try {
    decode_all(table, config, options);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace

TEST_CASE("pixels and facts are in the table's order, whatever the threads") {
  TemporaryFolder folder;
  const SampleTable table = make_data_set(folder.path(), 23);
  auto config = small_config();
  config.workers = 1;
  const DecodedData one = decode_all(table, config, without_cache());
  config.workers = 7;
  const DecodedData seven = decode_all(table, config, without_cache());
  CHECK(pixels_of(one) == pixels_of(seven));
  REQUIRE(one.facts.size() == 23);
  for (std::size_t i = 0; i < 23; ++i) {
    const DecodedImage picture = read_image(table.samples[i].path);
    const Image square =
        resize_square(picture.image.view(), 16, ResizeRule::stretch, Interpolation::area);
    const auto* image = one.pixels.view().image(static_cast<std::int64_t>(i));
    REQUIRE(std::vector<std::uint8_t>(image, image + 16 * 16 * 3) == square.rgb);
    CHECK(one.facts[i].width == picture.image.width);
    CHECK(one.facts[i].height == picture.image.height);
    CHECK(one.facts[i].pixel_hash == pixel_hash(picture.image.view()));
    CHECK(one.facts[i].perceptual_hash == seven.facts[i].perceptual_hash);
  }
  CHECK(!one.pixels.mapped());
}

TEST_CASE("cache_size, resize and the preprocess hook are what is kept") {
  TemporaryFolder folder;
  const SampleTable table = make_data_set(folder.path(), 2);
  auto config = small_config();
  config.cache_size = 24;
  config.resize = "fit";
  DecodeOptions options = without_cache();
  options.preprocess = {[](Image& image) {
                          for (auto& v : image.rgb) v = static_cast<std::uint8_t>(255 - v);
                          return std::string(image.rgb[0] == 0 ? "negative: white" : "");
                        },
                        "negative"};
  const DecodedData data = decode_all(table, config, options);
  CHECK(data.pixels.view().width == 24);
  CHECK(int{data.pixels.view().image(0)[0]} == 0);  // the white border, turned black
  CHECK(data.facts[0].unprocessed == "negative: white");
  const Image square = decode_square(table.samples[0], config);
  CHECK(square.width == 24);
  CHECK(int{square.rgb[0]} == 255);
  options.preprocess.apply = [](Image& image) {
    image.rgb.pop_back();
    return std::string();
  };
  CHECK(error_of(table, config, options) == "a preprocess component changed an image's size");
}

TEST_CASE("pixels that are decoded already are preprocessed in memory") {
  TemporaryFolder folder;
  const SampleTable table = make_data_set(folder.path(), 5);
  DecodedData data = decode_all(table, small_config(), without_cache());
  const auto before = pixels_of(data);
  preprocess_pixels(data,
                    {[](Image& image) {
                       for (auto& v : image.rgb) v = static_cast<std::uint8_t>(255 - v);
                       return std::string("negative: done");
                     },
                     "negative"},
                    3);
  const auto after = pixels_of(data);
  REQUIRE(after.size() == before.size());
  bool negative = true;
  for (std::size_t i = 0; i < after.size(); ++i) negative &= after[i] == 255 - before[i];
  CHECK(negative);
  for (const auto& facts : data.facts) CHECK(facts.unprocessed == "negative: done");
}

TEST_CASE("progress ends at the total") {
  TemporaryFolder folder;
  const SampleTable table = make_data_set(folder.path(), 9);
  DecodeOptions options = without_cache();
  DecodeProgress last;
  options.progress = [&](const DecodeProgress& now) {
    CHECK(now.done >= last.done);
    last = now;
  };
  decode_all(table, small_config(), options);
  CHECK(last.done == 9);
  CHECK(last.total == 9);
}

TEST_CASE("unreadable images: all are named, and the policy decides") {
  TemporaryFolder folder;
  const SampleTable table = make_data_set(folder.path(), 40);
  write_file(table.samples[3].path, "GIF89a");
  write_file(table.samples[7].path, Png{.width = 3, .height = 3}.text());
  auto config = small_config();
  const std::string at = folder.path().string();
  CHECK(
      error_of(table, config, without_cache()) ==
      at + "/picture-0003.png: is not a PNG, JPEG, TIFF or BMP picture\n" + at +
          "/picture-0007.png: 3 x 3 pixels: fewer than 8 on a side; leave it out of the data set\n"
          "2 of 40 images cannot be read; repair or remove them, or leave them out with "
          "data.unreadable = \"quarantine\"");

  config.unreadable = "quarantine";
  const DecodedData data = decode_all(table, config, without_cache());
  CHECK(data.table.samples.size() == 38);
  CHECK(data.facts.size() == 38);
  CHECK(data.pixels.view().count == 38);
  REQUIRE(data.quarantined.size() == 2);
  CHECK(data.quarantined[0].relative == "picture-0003.png");
  CHECK(data.quarantined[0].problem == "is not a PNG, JPEG, TIFF or BMP picture");
  CHECK(data.table.samples[3].relative == "picture-0004.png");
  CHECK(data.facts[3].pixel_hash == pixel_hash(read_image(table.samples[4].path).image.view()));

  write_file(table.samples[9].path, "");
  const std::string text = error_of(table, config, without_cache());
  CHECK(text.substr(text.rfind('\n') + 1) ==
        "3 of 40 images cannot be read; data.unreadable = \"quarantine\" leaves out at most 5 % of "
        "them");
}

TEST_CASE("many unreadable images: twenty are named, the rest are counted") {
  TemporaryFolder folder;
  SampleTable table = make_data_set(folder.path(), 1);
  for (int i = 0; i < 25; ++i) {
    Sample sample = table.samples[0];
    sample.path = folder / fmt::format("none-{}.png", i);
    table.samples.push_back(sample);
  }
  try {
    decode_all(table, small_config(), without_cache());
    FAIL("no error");
  } catch (const ErrorList& list) {
    REQUIRE(list.errors().size() == 21);
    CHECK(list.code() == ExitCode::data);
    CHECK(std::string(list.errors()[20].what())
              .find("25 of 26 images cannot be read (5 more than are named here)") == 0);
  }
}

TEST_CASE("a second start maps the cache, with the same content") {
  TemporaryFolder folder, cache;
  const SampleTable table = make_data_set(folder.path(), 40);
  write_file(table.samples[5].path, "broken");
  auto config = small_config();
  config.unreadable = "quarantine";
  Cached cached(cache / "images");
  const DecodedData first = decode_all(table, config, cached.options);
  CHECK(!first.from_cache);
  CHECK(first.pixels.mapped());
  const DecodedData second = decode_all(table, config, cached.options);
  CHECK(second.from_cache);
  CHECK(pixels_of(first) == pixels_of(second));
  CHECK(pixels_of(first) == pixels_of(decode_all(table, config, without_cache())));
  REQUIRE(second.facts.size() == 39);
  for (std::size_t i = 0; i < 39; ++i) {
    CHECK(second.table.samples[i].relative == first.table.samples[i].relative);
    CHECK(second.facts[i].pixel_hash == first.facts[i].pixel_hash);
    CHECK(second.facts[i].perceptual_hash == first.facts[i].perceptual_hash);
    CHECK(second.facts[i].width == first.facts[i].width);
    CHECK(second.facts[i].note == first.facts[i].note);
  }
  REQUIRE(second.quarantined.size() == 1);
  CHECK(second.quarantined[0].relative == "picture-0005.png");
  CHECK(second.quarantined[0].problem == first.quarantined[0].problem);
  CHECK(cached.warnings.empty());
}

TEST_CASE("whatever the pixels depend on is in the cache's key") {
  TemporaryFolder folder;
  SampleTable table = make_data_set(folder.path(), 3);
  const std::string key = cache_key(table, "settings");
  CHECK(key == cache_key(table, "settings"));
  CHECK(key != cache_key(table, "other settings"));

  const auto path = table.samples[1].path;
  const auto time = fs::last_write_time(path);
  fs::last_write_time(path, time + std::chrono::microseconds(1));
  CHECK(key != cache_key(table, "settings"));
  fs::last_write_time(path, time);
  CHECK(key == cache_key(table, "settings"));

  std::ofstream(path, std::ios::app) << 'x';
  fs::last_write_time(path, time);
  CHECK(key != cache_key(table, "settings"));
  table.samples[1].path = table.samples[2].path;
  CHECK(key != cache_key(table, "settings"));
}

TEST_CASE("each setting has its own cache file") {
  TemporaryFolder folder, cache;
  const SampleTable table = make_data_set(folder.path(), 3);
  Cached cached(cache.path());
  const auto config = small_config();
  decode_all(table, config, cached.options);
  const auto misses = [&](const config::DataConfig& changed) {
    return !decode_all(table, changed, cached.options).from_cache;
  };
  CHECK(!misses(config));
  auto changed = config;
  changed.cache_size = 17;
  CHECK(misses(changed));
  changed = config;
  changed.resize = "crop";
  CHECK(misses(changed));
  changed = config;
  changed.interpolation = "linear";
  CHECK(misses(changed));
  changed = config;
  changed.workers = 1;  // no part of the key
  CHECK(!misses(changed));
  cached.options.preprocess = {[](Image&) { return std::string("macenko: blank"); }, "macenko 1"};
  CHECK(misses(config));
  CHECK(!misses(config));
  CHECK(decode_all(table, config, cached.options).facts[1].unprocessed == "macenko: blank");
  cached.options.preprocess.state = "macenko 2";
  CHECK(misses(config));
}

TEST_CASE("a changed picture is decoded again") {
  TemporaryFolder folder, cache;
  const SampleTable table = make_data_set(folder.path(), 3);
  Cached cached(cache.path());
  const auto before = pixels_of(decode_all(table, small_config(), cached.options));
  write_png(table.samples[0].path, noise_picture(20, 30, 99).view());
  const DecodedData after = decode_all(table, small_config(), cached.options);
  CHECK(!after.from_cache);
  CHECK(pixels_of(after) != before);
}

TEST_CASE("a damaged or shortened cache file is said and decoded again") {
  TemporaryFolder folder, cache;
  const SampleTable table = make_data_set(folder.path(), 5);
  Cached cached(cache.path());
  const auto pixels = pixels_of(decode_all(table, small_config(), cached.options));
  const fs::path file = only_file(cache.path());
  const auto size = static_cast<std::int64_t>(fs::file_size(file));
  const std::int64_t json_at = 64 + 5 * 16 * 16 * 3;
  const std::pair<std::int64_t, std::string> damages[] = {
      {3, "is not a file of decoded images"},
      {64 + 1000, "is damaged: its pixels have changed"},
      {json_at + 9, "is damaged: its table has changed"},
      {size - 128, "is cut short or damaged: the checksum at its end is wrong"},
      {size - 1, "is cut short or damaged: the checksum at its end is wrong"}};
  for (const auto& [at, what] : damages) {
    cached.warnings.clear();
    flip_byte(file, at);
    const DecodedData data = decode_all(table, small_config(), cached.options);
    CHECK(!data.from_cache);
    CHECK(pixels_of(data) == pixels);
    REQUIRE(cached.warnings.size() == 1);
    CHECK(cached.warnings[0] ==
          "the image cache " + file.string() + " " + what + "; the images are decoded again");
    CHECK(decode_all(table, small_config(), cached.options).from_cache);
  }
  for (const std::int64_t length : {std::int64_t{0}, std::int64_t{70}, json_at, size - 1}) {
    cached.warnings.clear();
    fs::resize_file(file, static_cast<std::uintmax_t>(length));
    CHECK(pixels_of(decode_all(table, small_config(), cached.options)) == pixels);
    CHECK(cached.warnings.size() == 1);
  }
}

TEST_CASE("without a place for the cache the pixels stay in memory, and it is said") {
  TemporaryFolder folder, cache;
  const SampleTable table = make_data_set(folder.path(), 3);
  write_file(cache / "file", "in the way");
  Cached cached(cache / "file");
  const DecodedData data = decode_all(table, small_config(), cached.options);
  CHECK(!data.pixels.mapped());
  CHECK(pixels_of(data) == pixels_of(decode_all(table, small_config(), without_cache())));
  REQUIRE(cached.warnings.size() == 1);
  CHECK(cached.warnings[0] == "the image cache " + (cache / "file").string() +
                                  " cannot be used: Not a directory; the images stay in memory");
}

TEST_CASE("content_from_json accounts for every sample once") {
  const std::string facts = R"([10,10,"0000000000000001","0000000000000002",""])";
  const auto json = [&](const std::string& kept, const std::string& problems) {
    return R"({"kept":)" + kept + R"(,"facts":[)" + facts + R"(],"problems":)" + problems + "}";
  };
  const std::string why = R"([{"sample":1,"why":"broken"}])";
  CHECK(content_from_json(json("[0]", why), 2).problems[0].second == "broken");
  for (const auto& bad :
       {json("[1]", why), json("[2]", why), json("[0]", "[]"), json("[0,0]", "[]"),
        json("[-1]", why), json("[\"0\"]", why), json("{}", why), json("[0]", "[7]"),
        json("[0]", R"([{"sample":1}])"), json("[0]", R"([{"sample":1,"why":3}])"),
        std::string("[]"), std::string("{"), std::string(100'000, '['), std::string("{}")})
    CHECK_THROWS_AS(content_from_json(bad, 2), Error);
}

TEST_CASE("trimming keeps the newest files and never the one in use") {
  TemporaryFolder cache;
  const auto now = fs::file_time_type::clock::now();
  for (int i = 0; i < 5; ++i) {
    const auto path = cache / fmt::format("{}.bcxpix", i);
    write_file(path, std::string(100, 'x'));
    fs::last_write_time(path, now - std::chrono::hours(10 - i));
  }
  write_file(cache / "notes.txt", std::string(500, 'x'));
  write_file(cache / ".a.bcxpix.Zz1Zz1.tmp", "dead");
  fs::last_write_time(cache / ".a.bcxpix.Zz1Zz1.tmp", now - std::chrono::hours(30));
  write_file(cache / ".b.bcxpix.Zz1Zz1.tmp", "alive");
  trim_cache(cache.path(), 250, cache / "0.bcxpix");
  CHECK(fs::exists(cache / "0.bcxpix"));
  CHECK(!fs::exists(cache / "1.bcxpix"));
  CHECK(!fs::exists(cache / "3.bcxpix"));
  CHECK(fs::exists(cache / "4.bcxpix"));
  CHECK(fs::exists(cache / "notes.txt"));
  CHECK(!fs::exists(cache / ".a.bcxpix.Zz1Zz1.tmp"));
  CHECK(fs::exists(cache / ".b.bcxpix.Zz1Zz1.tmp"));
  trim_cache(cache / "none", 0, {});
}

TEST_CASE("an empty table gives empty pixels") {
  const DecodedData data = decode_all({}, small_config());
  CHECK(data.pixels.view().count == 0);
  CHECK(data.table.samples.empty());
}

TEST_CASE("a stop signal ends decoding, and leaves no cache file") {
  TemporaryFolder folder, cache;
  const SampleTable table = make_data_set(folder.path(), 30);
  Cached cached(cache.path());
  const SignalScope scope;
  std::raise(SIGTERM);
  try {
    decode_all(table, small_config(), cached.options);
    FAIL("no error");
  } catch (const Error& error) {
    CHECK(error.code() == ExitCode::stopped);
  }
  CHECK(fs::is_empty(cache.path()));
  const SignalScope forget;  // the flag outlives its scope, and other tests decode too
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
namespace {

enum class Ended { mapped, in_memory, without_memory, otherwise };

std::span<const std::uint8_t> pixels_span(const DecodedData& data) {
  const auto& view = data.pixels.view();
  return {view.data, static_cast<std::size_t>(view.count * view.height * view.width * 3)};
}

// Decodes in a child that may take `bytes` more of writable memory of its own than it has.
Ended decode_within(rlim_t bytes, const SampleTable& table, const config::DataConfig& config,
                    const DecodeOptions& options) {
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    std::ifstream status("/proc/self/status");
    rlim_t has = 0;
    for (std::string line; std::getline(status, line);)
      if (line.starts_with("VmData:")) has = std::stoull(line.substr(7)) * 1024;
    const rlimit limit{has + bytes, has + bytes};
    setrlimit(RLIMIT_DATA, &limit);
    auto ended = Ended::otherwise;
    try {
      const auto data = decode_all(table, config, options);
      std::uint64_t sum = 0;  // every page is looked at
      for (const auto pixel : pixels_span(data)) sum += pixel;
      ended = sum == 0 ? Ended::otherwise : data.pixels.mapped() ? Ended::mapped : Ended::in_memory;
    } catch (const std::bad_alloc&) {
      ended = Ended::without_memory;
    } catch (const Error&) {
    }
    _exit(static_cast<int>(ended));
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? static_cast<Ended>(WEXITSTATUS(status)) : Ended::otherwise;
}

}  // namespace

TEST_CASE("data larger than the memory that may be taken are mapped") {
  TemporaryFolder folder, cache;
  const SampleTable table = make_data_set(folder.path(), 80);
  auto config = small_config();
  config.cache_size = 1024;  // 252 MB of pixels; what is decoded at once is 67 MB
  constexpr rlim_t room = 160'000'000;
  Cached cached(cache / "images");
  CHECK(decode_within(room, table, config, without_cache()) == Ended::without_memory);
  CHECK(decode_within(room, table, config, cached.options) == Ended::mapped);
  CHECK(decode_within(room / 10, table, config, cached.options) ==
        Ended::mapped);  // decoded before
  CHECK(decode_within(4 * room, table, config, without_cache()) == Ended::in_memory);
}
#endif
