#include "weights/safetensors.h"

#include <bit>
#include <cstring>

#include "base/error.h"
#include "base/hash.h"
#include "base/paths.h"
#include "raw_file.h"
#include "tests/catch.h"

using namespace bcx;
using namespace bcx::test;
using namespace bcx::weights;

namespace {

template <typename T>
TensorView view(const std::string& name, DType dtype, Shape shape, const std::vector<T>& values) {
  return {name, dtype, std::move(shape), std::as_bytes(std::span(values))};
}

std::string bytes_of(const TensorView& tensor) {
  return {reinterpret_cast<const char*>(tensor.bytes.data()), tensor.bytes.size()};
}

std::string content(const std::filesystem::path& path) {
  return read_text(path, 1 << 20, ExitCode::data);
}

std::size_t files_in(const std::filesystem::path& folder) {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& file : std::filesystem::directory_iterator(folder)) ++count;
  return count;
}

}  // namespace

TEST_CASE("the format, byte by byte") {
  const TemporaryFolder folder;
  const std::vector<float> a = {1.0f, -2.0f};
  const auto written = write_safetensors(
      folder / "w", std::vector{view("a", DType::f32, {1, 2}, a)}, {{"k", "v\n"}});
  const std::string header =
      R"({"__metadata__":{"k":"v\n"},"a":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]}})";
  const std::string padded = header + std::string((8 - header.size() % 8) % 8, ' ');
  const std::string expected = raw_file(padded, std::string("\0\0\x80\x3f\0\0\0\xc0", 8));
  CHECK(content(folder / "w") == expected);
  CHECK(written.size == expected.size());
  CHECK(written.sha256 == sha256_hex(expected));
}

TEST_CASE("what is written is read back") {
  const TemporaryFolder folder;
  const std::vector<std::uint8_t> u8 = {1, 2, 3};
  const std::vector<float> f32 = {0.5f, 0.25f, -1.0f, 3.0f};
  const std::vector<std::int64_t> i64 = {-7};
  const std::vector<float> none;
  const std::vector tensors = {
      view("u8", DType::u8, {3}, u8), view("f32", DType::f32, {2, 1, 2}, f32),
      view("empty", DType::f32, {0, 4}, none), view("Größe \"x\"", DType::i64, {}, i64)};
  const Metadata metadata = {{"manifest", R"({"epoch":3})"}, {"", ""}};
  const auto written = write_safetensors(folder / "w", tensors, metadata);

  const auto file = SafetensorsFile::open(folder / "w");
  CHECK(file.metadata() == metadata);
  CHECK(file.sha256() == written.sha256);
  CHECK(file.file_size() == written.size);
  REQUIRE(file.tensors().size() == 4);
  for (const auto& tensor : tensors) {
    const TensorView* found = file.find(tensor.name);
    REQUIRE(found);
    CHECK(found->dtype == tensor.dtype);
    CHECK(found->shape == tensor.shape);
    CHECK(bytes_of(*found) == bytes_of(tensor));
    CHECK(found->elements() == *elements_of(tensor.shape));
    // Largest type first: aligned within a file whose data part begins at a multiple of 8.
    CHECK(reinterpret_cast<std::uintptr_t>(found->bytes.data()) % size_of(tensor.dtype) == 0);
  }
  CHECK(file.find("f3") == nullptr);
  CHECK(file.tensors()[0].name == "Größe \"x\"");
}

TEST_CASE("the header's order is free") {
  const TemporaryFolder folder;
  write_raw(folder / "w", raw_file(R"({"b":{"data_offsets":[1,2],"shape":[1],"dtype":"U8"},)"
                                   R"("a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}   )",
                                   "AB"));
  const auto file = SafetensorsFile::open(folder / "w");
  CHECK(bytes_of(*file.find("a")) == "A");
  CHECK(bytes_of(*file.find("b")) == "B");
  CHECK(file.tensors()[0].name == "a");
}

TEST_CASE("views live as long as a copy of the file object") {
  const TemporaryFolder folder;
  write_safetensors(folder / "w",
                    std::vector{view("a", DType::u8, {2}, std::vector<std::uint8_t>{5, 6})});
  std::optional<SafetensorsFile> first = SafetensorsFile::open(folder / "w");
  const SafetensorsFile copy = *first;
  const TensorView* tensor = copy.find("a");
  first.reset();
  std::filesystem::remove(folder / "w");
  CHECK(bytes_of(*tensor) == "\x05\x06");
}

TEST_CASE("tensors may come in pieces") {
  const TemporaryFolder folder;
  const std::vector<float> values = {1, 2, 3, 4};
  const auto bytes = std::as_bytes(std::span(values));
  SafetensorsWriter writer(folder / "w", {{"a", DType::f32, {3}}, {"b", DType::f32, {1}}});
  writer.write(bytes.subspan(0, 5));
  writer.write(bytes.subspan(5, 11));
  CHECK(files_in(folder.path()) == 1);
  CHECK_FALSE(std::filesystem::exists(folder / "w"));
  writer.finish();
  CHECK(files_in(folder.path()) == 1);
  CHECK(bytes_of(*SafetensorsFile::open(folder / "w").find("b")) == std::string("\0\0\x80\x40", 4));
}

TEST_CASE("an unfinished file leaves nothing, and the older one in place") {
  const TemporaryFolder folder;
  write_raw(folder / "w", "old");
  {
    SafetensorsWriter writer(folder / "w", {{"a", DType::u8, {3}}});
    const std::vector<std::uint8_t> part = {1, 2};
    writer.write(std::as_bytes(std::span(part)));
    CHECK_THROWS_WITH(writer.finish(), "fewer bytes than the safetensors layout has");
  }
  CHECK(content(folder / "w") == "old");
  CHECK(files_in(folder.path()) == 1);
}

TEST_CASE("layouts that are no file are the caller's mistake") {
  const TemporaryFolder folder;
  const std::vector<std::uint8_t> one = {1};
  const auto a = view("a", DType::u8, {1}, one);
  CHECK_THROWS_WITH(write_safetensors(folder / "w", std::vector{a, a}),
                    "a tensor's name is taken: a");
  CHECK_THROWS_WITH(
      write_safetensors(folder / "w", std::vector{view("__metadata__", DType::u8, {1}, one)}),
      "a tensor's name is taken: __metadata__");
  CHECK_THROWS_WITH(write_safetensors(folder / "w", std::vector{view("a", DType::u8, {-1}, one)}),
                    "a tensor's shape is impossible: [-1]");
  CHECK_THROWS_WITH(write_safetensors(folder / "w", std::vector{view("a", DType::u8, {0}, one)}),
                    "more bytes than the safetensors layout has");
  CHECK(files_in(folder.path()) == 0);
}

TEST_CASE("a folder that cannot be written is a storage error") {
  try {
    write_safetensors("/nonexistent/w", {});
    FAIL("accepted");
  } catch (const Error& error) {
    CHECK(error.code() == ExitCode::storage);
    CHECK(std::string(error.what()) == "/nonexistent/w: cannot create: No such file or directory");
  }
}

TEST_CASE("published files of others are read") {
  BCX_NEEDS_SHARED("data/weights/squeezenet1_1_imagenet.safetensors");
  const auto file =
      SafetensorsFile::open(shared_dir() / "data/weights/squeezenet1_1_imagenet.safetensors");
  CHECK(file.tensors().size() == 52);
  REQUIRE(file.find("features.0.weight"));
  CHECK(file.find("features.0.weight")->shape == Shape{64, 3, 3, 3});
  for (const auto& tensor : file.tensors()) CHECK_NOTHROW(require_finite(tensor, "squeezenet"));
}
