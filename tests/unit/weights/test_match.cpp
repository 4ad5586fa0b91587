#include "weights/match.h"

#include "base/error.h"
#include "tests/catch.h"

using namespace bcx;
using namespace bcx::weights;

namespace {

/// A file of one-byte tensors with these names and shapes.
SafetensorsFile file_of(const test::TemporaryFolder& folder,
                        const std::vector<ModelTensor>& tensors) {
  std::vector<TensorInfo> layout;
  std::int64_t bytes = 0;
  for (const auto& tensor : tensors) {
    layout.push_back({tensor.name, DType::u8, tensor.shape});
    bytes += *elements_of(tensor.shape);
  }
  SafetensorsWriter writer(folder / "w.safetensors", layout);
  writer.write(std::vector<std::byte>(static_cast<std::size_t>(bytes)));
  writer.finish();
  return SafetensorsFile::open(folder / "w.safetensors");
}

std::string refusal(const MatchReport& report, const SafetensorsFile& file) {
  try {
    require_complete(report, file);
    return {};
  } catch (const Error& error) {
    CHECK(error.code() == ExitCode::data);
    return std::string(error.what()).substr(file.path().string().size() + 2);
  }
}

}  // namespace

TEST_CASE("a file that fits") {
  const test::TemporaryFolder folder;
  const auto file = file_of(folder, {{"conv.weight", {2, 3}},
                                     {"bn.num_batches_tracked", {}},
                                     {"classifier.weight", {4}},
                                     {"classifier.bias", {1}}});
  const std::vector<ModelTensor> model = {{"conv.weight", {2, 3}}};
  const auto report = match(model, file, {.skip_prefixes = {"classifier.", "fc."}});
  CHECK(report.complete());
  CHECK(report.loaded == std::vector<std::string>{"conv.weight"});
  CHECK(report.skipped.size() == 3);
  CHECK(report.summary() == "loaded 1 tensors, left out 3 (num_batches_tracked, classifier.)");
  CHECK_NOTHROW(require_complete(report, file));
}

TEST_CASE("a prefix is not skipped when the model has the tensor") {
  const test::TemporaryFolder folder;
  const auto file = file_of(folder, {{"fc.weight", {2}}});
  const std::vector<ModelTensor> model = {{"fc.weight", {3}}};
  CHECK(match(model, file, {.skip_prefixes = {"fc."}}).misshaped.size() == 1);
}

TEST_CASE("batch counters count only when asked") {
  const test::TemporaryFolder folder;
  const auto file = file_of(folder, {{"a", {1}}});
  const std::vector<ModelTensor> model = {{"a", {1}}, {"bn.num_batches_tracked", {}}};
  CHECK(match(model, file).complete());
  CHECK(match(model, file, {.ignore_batch_counters = false}).missing ==
        std::vector<std::string>{"bn.num_batches_tracked"});
}

TEST_CASE("a table of constants that the model computes is left out") {
  const test::TemporaryFolder folder;
  const auto file = file_of(folder, {{"a", {1}}, {"attn.relative_position_index", {4}}});
  const std::vector<ModelTensor> model = {{"a", {1}}};
  const auto report = match(model, file);
  CHECK(report.complete());
  CHECK(report.summary() == "loaded 1 tensors, left out 1 (relative_position_index)");
}

TEST_CASE("what does not fit is said, with the nearest name") {
  const test::TemporaryFolder folder;
  const auto file =
      file_of(folder, {{"layer1.norm.1.weight", {2}}, {"layer1.conv.weight", {2, 2}}});
  const std::vector<ModelTensor> model = {{"layer1.norm1.weight", {2}},
                                          {"layer1.conv.weight", {2, 3}}};
  const auto report = match(model, file);
  CHECK_FALSE(report.complete());
  CHECK(refusal(report, file) ==
        "these weights do not fit the model: 0 tensors fit, 1 missing, 1 of another shape, 1 "
        "unexpected\n"
        "  \"layer1.conv.weight\" is [2, 2], the model has [2, 3]\n"
        "  \"layer1.norm1.weight\" is missing; the file has \"layer1.norm.1.weight\"\n"
        "  \"layer1.norm.1.weight\" is not in the model");
}

TEST_CASE("a long list of faults is cut") {
  const test::TemporaryFolder folder;
  const auto file = file_of(folder, {});
  std::vector<ModelTensor> model;
  for (int i = 0; i < 14; ++i) model.push_back({"t" + std::to_string(i), {1}});
  const std::string text = refusal(match(model, file), file);
  CHECK(text.ends_with("\n  \"t9\" is missing\n  and 4 more"));
}
