// Packed files: the round trip, and everything that a hostile one can say.
#include "data/pack.h"

#include <fstream>
#include <iterator>

#include "base/error.h"
#include "base/hash.h"
#include "base/philox.h"
#include "data/pixel_file.h"
#include "data_set.h"
#include "make_png.h"
#include "tests/catch.h"

using namespace bcx;
using namespace bcx::data;
using namespace bcx::test;

namespace {

const PackSettings settings{16, "stretch", "area", ""};

DecodedData decoded(const std::filesystem::path& folder, std::size_t count) {
  DecodeOptions options;
  options.use_cache = false;
  return decode_all(make_data_set(folder, count), small_config(), options);
}

std::string content(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string error_of(const std::filesystem::path& path) {
  try {
    load_packed(path);
  } catch (const Error& error) {
    CHECK(error.code() == ExitCode::data);
    const std::string text = error.what();
    REQUIRE(text.find(path.string() + ": ") == 0);
    return text.substr(path.string().size() + 2);
  }
  return "no error";
}

std::string binary(const std::string& text) {
  const std::string hex = sha256_hex(text);
  std::string bytes;
  for (std::size_t i = 0; i < 64; i += 2)
    bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  return bytes;
}

// A file with right checksums around whatever the numbers and the JSON claim.
std::string forged(std::uint64_t count, std::uint64_t side, std::uint64_t json_length,
                   const std::string& pixels, const std::string& json,
                   const std::string& kind = "pack    ") {
  const std::string body = "BCXPIX1\n" + std::string(56, '\0') + pixels + json;
  const std::string footer = little(count, 8) + little(side, 8) + little(json_length, 8) + kind +
                             binary(json) + binary(body);
  return body + footer + binary(footer);
}

const std::string good_sample =
    R"({"name":"a.png","label":1,"attributes":["7"],"facts":[9,9,"0000000000000001","0000000000000002","grey"]})";

std::string table(const std::string& samples, const std::string& rest = "") {
  return R"({"version":1,"settings":{"resize":"stretch","interpolation":"area","preprocess":""},)"
         R"("classes":["x","y"],"positive":1,"attributes":["case"],"samples":[)" +
         samples + "]" + rest + "}";
}

std::string error_of_table(const TemporaryFolder& folder, const std::string& json) {
  write_file(folder / "t.bcxpack", forged(1, 1, json.size(), "RGB", json));
  return error_of(folder / "t.bcxpack");
}

}  // namespace

TEST_CASE("a packed file gives everything back") {
  TemporaryFolder folder;
  const DecodedData data = decoded(folder.path(), 12);
  write_packed(folder / "all.bcxpack", data, settings);
  const PackedData packed = load_packed(folder / "all.bcxpack");
  CHECK(packed.table.classes == data.table.classes);
  CHECK(packed.table.positive == data.table.positive);
  CHECK(packed.table.attribute_names == data.table.attribute_names);
  REQUIRE(packed.table.samples.size() == 12);
  for (std::size_t i = 0; i < 12; ++i) {
    const Sample &a = packed.table.samples[i], &b = data.table.samples[i];
    CHECK(a.id == b.id);
    CHECK(a.relative == b.relative);
    CHECK(a.label == b.label);
    CHECK(a.attributes == b.attributes);
    CHECK(a.path.empty());
    CHECK(packed.facts[i].pixel_hash == data.facts[i].pixel_hash);
    CHECK(packed.facts[i].perceptual_hash == data.facts[i].perceptual_hash);
    CHECK(packed.facts[i].height == data.facts[i].height);
  }
  const auto& view = packed.pixels.view();
  CHECK(std::vector<std::uint8_t>(view.data, view.data + 12 * 16 * 16 * 3) == pixels_of(data));
  CHECK(reinterpret_cast<std::uintptr_t>(view.data) % 64 == 0);
  CHECK(packed.pixels.mapped());
  CHECK(packed.settings.size == 16);
  CHECK(packed.settings.resize == "stretch");
  write_packed(folder / "again.bcxpack", data, settings);
  CHECK(content(folder / "all.bcxpack") == content(folder / "again.bcxpack"));
}

TEST_CASE("decode_packed wants what the experiment asks for") {
  TemporaryFolder folder;
  const DecodedData data = decoded(folder.path(), 12);
  const auto path = folder / "all.bcxpack";
  write_packed(path, data, settings);
  auto config = small_config();
  config.root = path;
  CHECK(pixels_of(decode_packed(config)) == pixels_of(data));

  config.magnifications = {40};
  config.positive = "benign";
  const DecodedData part = decode_packed(config);
  CHECK(part.table.positive == 0);
  REQUIRE(part.table.samples.size() == 4);
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK(part.table.samples[i].relative == data.table.samples[3 * i].relative);
    CHECK(part.facts[i].pixel_hash == data.facts[3 * i].pixel_hash);
    const auto *a = part.pixels.view().image(static_cast<std::int64_t>(i)),
               *b = data.pixels.view().image(static_cast<std::int64_t>(3 * i));
    CHECK(std::vector<int>(a, a + 768) == std::vector<int>(b, b + 768));
  }

  const auto error = [&](const config::DataConfig& asked) -> std::string {
    try {
      decode_packed(asked);
    } catch (const Error& failure) {
      return failure.what();
    }
    return "no error";
  };
  const std::string at = path.string() + ": was packed with ";
  config = small_config();
  config.root = path;
  config.cache_size = 32;
  CHECK(error(config) == at +
                             "data.cache_size = 16, and the experiment asks for 32; pack it again, "
                             "or set data.cache_size = 16");
  config.cache_size = 0;
  config.resize = "fit";
  CHECK(error(config) ==
        at + "data.resize = \"stretch\", and the experiment asks for \"fit\"; pack it "
             "again, or set data.resize = \"stretch\"");
  config.resize = "stretch";
  config.classes = {"malignant", "benign"};
  CHECK(error(config) ==
        at + "the classes benign, malignant, and the experiment asks for malignant, "
             "benign; pack it again, or leave data.classes out");
  config.classes.clear();
  config.positive = "malignnant";
  CHECK(error(config) ==
        path.string() + ": has no class \"malignnant\"; did you mean \"malignant\"?");
}

TEST_CASE("every flipped byte of a packed file is noticed, and every cut") {
  TemporaryFolder folder;
  const auto path = folder / "x.bcxpack";
  write_packed(path, decoded(folder.path(), 2), settings);
  const std::string good = content(path);
  for (std::size_t at = 0; at < good.size(); at += 41) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 0x40);
    write_file(path, bad);
    REQUIRE(error_of(path) != "no error");
  }
  for (std::size_t length = 0; length < good.size(); length += 67) {
    write_file(path, good.substr(0, length));
    REQUIRE(error_of(path) != "no error");
  }
  write_file(path, good + "x");
  CHECK(error_of(path) == "is cut short or damaged: the checksum at its end is wrong");
  write_file(path, good);
  CHECK(error_of(path) == "no error");
}

TEST_CASE("sizes that do not agree are refused, however large") {
  TemporaryFolder folder;
  const auto path = folder / "x.bcxpack";
  const auto error = [&](const std::string& text) {
    write_file(path, text);
    return error_of(path);
  };
  const std::string json = table(good_sample);
  const std::string sizes = "is damaged: its sizes do not agree";
  const std::uint64_t huge = ~std::uint64_t{0};
  CHECK(error(forged(1, 1, json.size(), "RGB", json)) == "no error");
  CHECK(error(forged(2, 1, json.size(), "RGB", json)) == sizes);
  CHECK(error(forged(0, 1, json.size(), "RGB", json)) == sizes);
  CHECK(error(forged(1, 0, json.size(), "RGB", json)) == sizes);
  CHECK(error(forged(1, 2, json.size(), "RGB", json)) == sizes);
  CHECK(error(forged(1, 1, huge, "RGB", json)) == sizes);
  CHECK(error(forged(huge, huge, json.size(), "RGB", json)) == sizes);
  CHECK(error(forged(1, std::uint64_t{1} << 32, json.size(), "RGB", json)) == sizes);
  CHECK(error(forged(huge / 3 + 2, 1, json.size(), "RGB", json)) == sizes);
  CHECK(error(forged(1, 1, json.size() - 3, "RGB", json)) == sizes);
  CHECK(error(forged(1, 1, json.size(), "RGB", json, "cache   ")) == "holds a cache, not a pack");
  CHECK(error("BCXPIX1\n") == "is cut short");
  CHECK(error("") == "is empty");
  CHECK(error_of(folder / "none") == "cannot be opened: No such file or directory");
}

TEST_CASE("a table that says odd things is refused field by field") {
  TemporaryFolder folder;
  const auto error = [&](const std::string& json) { return error_of_table(folder, json); };
  const auto replaced = [](std::string text, const std::string& from, const std::string& to) {
    const auto at = text.find(from);
    REQUIRE(at != std::string::npos);
    return text.replace(at, from.size(), to);
  };
  const std::string good = table(good_sample);
  CHECK(error(good) == "no error");
  CHECK(error("[") == "is damaged: its table cannot be read");
  CHECK(error(std::string(200'000, '[')) == "is damaged: its table cannot be read");
  CHECK(error("{}") == "is damaged: its table lacks \"version\"");
  CHECK(error(replaced(good, "\"version\":1", "\"version\":2")) ==
        "was packed in version 2 of the format, and this bcx reads 1; pack it again with this bcx");
  CHECK(error(replaced(good, "\"version\":1", "\"version\":-1")) ==
        "is damaged: \"version\" in its table is not what it should be");
  CHECK(error(replaced(good, "\"label\":1", "\"label\":2")) ==
        "is damaged: \"label\" in its table is not what it should be");
  CHECK(error(replaced(good, "\"label\":1", "\"label\":1e99")) ==
        "is damaged: \"label\" in its table is not what it should be");
  CHECK(error(replaced(good, "[\"x\",\"y\"]", "[]")) == "is damaged: it has 0 classes");
  CHECK(error(replaced(good, "[\"x\",\"y\"]", "[\"x\",\"x\"]")) ==
        "is damaged: two classes have the same name");
  CHECK(error(replaced(good, "\"positive\":1", "\"positive\":5")) ==
        "is damaged: \"positive\" in its table is not what it should be");
  CHECK(error(replaced(good, "[\"7\"]", "[]")) == "is damaged: sample a.png has 0 attributes of 1");
  CHECK(error(replaced(good, "a.png", "")) == "is damaged: a sample without a name");
  CHECK(error(replaced(good, "\"0000000000000001\"", "\"1\"")) ==
        "is damaged: \"facts\" in its table is not what it should be");
  CHECK(error(replaced(good, "[9,9", "[9,9e9")) ==
        "is damaged: \"facts\" in its table is not what it should be");
  CHECK(error(table("")) == "is damaged: 1 images and 0 samples");
  CHECK(error(table("7")) == "is damaged: a sample is not what it should be");
  CHECK(error(table(good_sample + "," + good_sample)) ==
        "is damaged: its samples are not in order");
  CHECK(error(replaced(good, "\"settings\"", "\"setting\"")) ==
        "is damaged: its table lacks \"settings\"");
}

TEST_CASE("random bytes in the table end in an error or in a table, never in a crash") {
  TemporaryFolder folder;
  const std::string good = table(good_sample);
  for (std::uint64_t round = 0; round < 100; ++round) {
    const Stream stream(round, "mutate");
    std::string json = good;
    for (std::uint64_t k = 0; k <= stream.below(0, 4); ++k)
      json[stream.below(2 * k + 1, json.size())] = static_cast<char>(stream.below(2 * k + 2, 256));
    error_of_table(folder, json);
  }
}

TEST_CASE("a name that is not UTF-8 cannot be packed, and nothing is left behind") {
  TemporaryFolder folder, out;
  DecodedData data = decoded(folder.path(), 1);
  data.table.samples[0].relative = "caf\xE9.png";
  CHECK_THROWS_WITH(write_packed(out / "x.bcxpack", data, settings),
                    (out / "x.bcxpack").string() +
                        ": a file name is not UTF-8, and a portable file cannot hold it");
  CHECK(std::filesystem::is_empty(out.path()));
}
