// Data sets, splits, checkpoints, evaluations, curves, artifacts.
#include "base/error.h"
#include "description.h"
#include "tests/catch.h"
#include "tracker/reader.h"
#include "tracker/run_writer.h"
#include "tracker/schema.h"

using namespace bcx::tracker;
using bcx::test::description;
using bcx::test::TemporaryFolder;

namespace {

constexpr std::uint64_t large = 0xFEDCBA9876543210ull;  // ids use all 64 bits

DatasetRow dataset() {
  return {"d-hash", "breakhis", "/data", {"benign", "malignant"}, 1, "case"};
}

std::vector<SampleRow> samples() {
  return {{large, "a/1.png", 0, "p1", {{"magnification", "100"}}},
          {2, "a/2.png", 1, "p2", {}},
          {3, "a/3.png", 1, "p2", {}},
          {4, "a/\xff.png", 1, "", {{"odd", "\xff"}}}};
}

void record_data(RunWriter& writer) {
  writer.dataset(dataset(), samples());
  const std::vector<SplitMember> members{
      {large, "train"}, {2, "validation"}, {3, "validation"}, {4, "test"}};
  writer.split({"s-hash", "d-hash", "holdout", "case", 0, 0, "[]"}, members);
}

}  // namespace

TEST_CASE("a data set and its split are kept once and shared by hash") {
  TemporaryFolder folder;
  const auto path = folder / "bcx.db";
  auto one = RunWriter::create(path, description("one"));
  auto two = RunWriter::create(path, description("two"));
  record_data(*one);
  record_data(*two);
  auto database = open_for_reading(path);
  auto count =
      database.prepare("SELECT (SELECT count(*) FROM sample), (SELECT count(*) FROM split)");
  REQUIRE(count.step());
  CHECK(count.integer(0) == 4);
  CHECK(count.integer(1) == 1);
  const auto split = Reader(path).split(two->id());
  REQUIRE(split);
  CHECK(split->row.method == "holdout");
  CHECK(split->dataset.classes == std::vector<std::string>{"benign", "malignant"});
  CHECK(split->samples == 4);
  REQUIRE(split->parts.size() == 3);
  CHECK(split->parts[1].first == "validation");
  CHECK(split->parts[1].second == std::pair<std::int64_t, std::int64_t>{2, 1});
}

TEST_CASE("runs of one split whose classes are called otherwise keep their own") {
  TemporaryFolder folder;
  const auto path = folder / "bcx.db";
  auto one = RunWriter::create(path, description("one"));
  record_data(*one);
  auto two = RunWriter::create(path, description("two"));
  auto swapped = dataset();
  swapped.hash = "d-swapped";
  swapped.classes = {"malignant", "benign"};
  swapped.positive = 0;
  auto renamed = samples();
  for (auto& sample : renamed) sample.group = "slide " + sample.group;
  two->dataset(swapped, renamed);
  two->split({"s-hash", "d-swapped", "holdout", "case", 0, 0, "[]"}, {});
  const Reader reader(path);
  CHECK(reader.split(one->id())->dataset.positive == 1);
  const auto split = reader.split(two->id());
  REQUIRE(split);
  CHECK(split->row.hash == "s-hash");
  CHECK(split->dataset.hash == "d-swapped");
  CHECK(split->dataset.classes == swapped.classes);
  CHECK(split->dataset.positive == 0);
  CHECK(split->parts[1].second == std::pair<std::int64_t, std::int64_t>{2, 1});
  CHECK(reader.split_samples(two->id()).size() == 4);
}

TEST_CASE("predictions keep their logits bit for bit, with names and groups") {
  TemporaryFolder folder;
  const auto path = folder / "bcx.db";
  auto writer = RunWriter::create(path, description("one"));
  record_data(*writer);
  EvaluationRow row;
  row.cursor = {3, 0, 30};
  row.part = "test";
  row.purpose = "final";
  row.precision = "fp32";
  row.threshold = "0.5";
  row.threshold_value = 0.5;
  row.metrics = {{"auc", 0.75}};
  const std::vector<std::uint64_t> ids{large, 4};
  const std::vector<float> logits{0.1f, -1e-38f, 3.5f, -0.0f};
  const auto id = writer->evaluation(row, ids, logits);
  const Reader reader(path);
  const auto shown = reader.evaluations(writer->id());
  REQUIRE(shown.size() == 1);
  CHECK(shown[0].id == id);
  CHECK(shown[0].look == 1);
  CHECK(shown[0].row.dataset == "d-hash");
  CHECK(shown[0].row.metrics[0].second == 0.75);
  const auto predictions = reader.predictions(id);
  REQUIRE(predictions.size() == 2);
  CHECK(predictions[0].sample == large);
  CHECK(predictions[0].name == "a/1.png");
  CHECK(predictions[0].group == "p1");
  CHECK(predictions[0].target == 0);
  CHECK(predictions[0].logits == std::vector<float>{0.1f, -1e-38f});
  CHECK(std::signbit(predictions[1].logits[1]));
  // Another run with the same split looks at the same samples.
  auto other = RunWriter::create(path, description("two"));
  record_data(*other);
  other->evaluation(row, ids, logits);
  CHECK(reader.evaluations(other->id())[0].look == 2);
}

TEST_CASE("logits that do not fit the samples are refused, and the writer goes on") {
  TemporaryFolder folder;
  auto writer = RunWriter::create(folder / "bcx.db", description("one"));
  const std::vector<std::uint64_t> ids{1, 2};
  const std::vector<float> logits{1.f, 2.f, 3.f};
  CHECK_THROWS_WITH(writer->evaluation({}, ids, logits),
                    "tracker: 3 logits do not belong to 2 samples");
  writer->epoch_metrics(1, 1, {{"val.auc", 0.5}});
  CHECK(Reader(folder / "bcx.db").series(writer->id(), "val.auc").size() == 1);
}

TEST_CASE("checkpoints: relative paths, the older row of a path is not kept") {
  TemporaryFolder folder;
  const auto path = folder / "bcx.db";
  auto writer = RunWriter::create(path, description("one"));
  CheckpointRow row;
  row.cursor = {1, 0, 10};
  row.path = (writer->folder() / "last.safetensors").string();
  row.tag = "last";
  row.bytes = 1000;
  row.metric = "val.auc";
  row.value = 0.9;
  writer->checkpoint(row);
  row.cursor = {2, 0, 20};
  writer->checkpoint(row);
  const Reader reader(path);
  auto shown = reader.checkpoints(writer->id());
  REQUIRE(shown.size() == 2);
  CHECK(shown[0].row.path == writer->folder().filename().string() + "/last.safetensors");
  CHECK_FALSE(shown[0].kept);
  CHECK(shown[1].kept);
  CHECK(shown[1].row.cursor.step == 20);
  CHECK(*shown[1].row.value == 0.9);
  writer->checkpoint_removed(row.path);
  CHECK_FALSE(reader.checkpoints(writer->id())[1].kept);
  row.path = "/etc/passwd";
  CHECK_THROWS_WITH(
      writer->checkpoint(row),
      "/etc/passwd: the tracker keeps only files beneath its own folder; put the file "
      "below " +
          folder.path().string());
  row.path = "../outside";
  CHECK_THROWS(writer->checkpoint(row));
}

TEST_CASE("curves and artifacts") {
  TemporaryFolder folder;
  const auto path = folder / "bcx.db";
  auto writer = RunWriter::create(path, description("one"));
  writer->curve({"roc", {}, "fpr", "tpr", {0, 0.5, 1}, {0, 0.9, 1}});
  const auto curves = Reader(path).curves(writer->id());
  REQUIRE(curves.size() == 1);
  CHECK(curves[0].x == std::vector<double>{0, 0.5, 1});
  CHECK(curves[0].y == std::vector<double>{0, 0.9, 1});
  ArtifactRow row{"plots/roc.svg", "picture", (writer->folder() / "roc.svg").string(), 10, "00"};
  writer->artifact(row);
  CHECK(Reader(path).artifacts(writer->id())[0].name == "plots/roc.svg");
  for (const char* name : {"../x", "", "a//b", ".hidden", "a b", "-rf", "/etc/passwd"}) {
    row.name = name;
    CHECK_THROWS(writer->artifact(row));
  }
}
