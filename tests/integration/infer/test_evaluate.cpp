// `bcx evaluate` as a user runs it.

#include <algorithm>

#include "data/images.h"
#include "workplace.h"

using namespace bcx;
namespace fs = std::filesystem;
using test::workplace;

namespace {

std::vector<std::string> stamps(const tracker::RunShown& run) {
  std::vector<std::string> names;
  for (const auto& stamp : run.stamps) names.push_back(stamp.name);
  return names;
}

/// Pictures of another demo set as class folders, `p<n>_<number>.png`, four of each of six
/// patients.
void make_other_data() {
  const auto& here = workplace();
  if (fs::exists(here.path() / "other")) return;
  here.need({"data", "demo", "drawn", "--images", "24", "--patients", "6", "--seed", "7"});
  std::vector<fs::path> drawn;
  for (const auto& entry : fs::recursive_directory_iterator(here.path() / "drawn"))
    if (entry.path().extension() == ".png") drawn.push_back(entry.path());
  std::sort(drawn.begin(), drawn.end());
  std::map<std::string, int> patients;
  int number = 0;
  for (const auto& path : drawn) {
    const auto name = path.filename().string();
    const auto patient =
        patients.emplace(name.substr(0, name.size() - 12), static_cast<int>(patients.size()))
            .first->second;
    const auto folder =
        here.path() / "other" / (name.starts_with("SOB_B") ? "benign" : "malignant");
    fs::create_directories(folder);
    fs::copy_file(
        path, folder / ("p" + std::to_string(patient) + "_" + std::to_string(number++) + ".png"));
  }
}

std::vector<std::string> on_other_data(std::vector<std::string> more) {
  std::vector<std::string> arguments{"evaluate", "small",
                                     "--data",   "other",
                                     "--set",    "data.source=folders",
                                     "--set",    "data.magnifications=[]"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

const std::vector<std::string> with_patients{"--set", "data.pattern=(?<patient>p\\d+)_\\d+",
                                             "--set", "data.patient=patient"};

}  // namespace

TEST_CASE("a run's own test part once more gives the same figures, as another look") {
  const auto& here = workplace();
  const auto done = here.need({"evaluate", "small"});
  CHECK(done.out.find("majority_baseline") != std::string::npos);
  CHECK(done.out.find("with test-time augmentation") != std::string::npos);
  const auto run = here.run("small"), again = here.run("small-evaluate");
  CHECK(again.parent == run.id);
  CHECK(again.status == "finished");
  int compared = 0;
  for (const auto& [name, summary] : run.metrics)
    if (name.starts_with("test.")) {
      INFO(name);
      REQUIRE(again.metrics.contains(name));
      CHECK(again.metrics.at(name).last == summary.last);
      ++compared;
    }
  CHECK(compared > 10);
  CHECK(here.logits("small-evaluate", "final") == here.logits("small", "final"));
  const auto reader = here.reader();
  const auto looks = [&](const std::string& id) {
    std::int64_t look = 0;
    for (const auto& one : reader.evaluations(id))
      if (one.row.part == "test") look = std::max(look, one.look);
    return look;
  };
  CHECK(looks(again.id) > looks(run.id));
  // An evaluation stands for the model that it evaluated, but cannot be evaluated on its own.
  CHECK(here.bcx({"explain", "small-evaluate", "--count", "1", "--quiet"}).code == 0);
  here.fails({"evaluate", "small-evaluate"}, 2,
             "error: run small-evaluate: was not trained, it is an evaluation itself; name the run "
             "that it evaluates: " +
                 run.short_id + "\n");
}

TEST_CASE("other patients' data are the test part of a run of their own") {
  const auto& here = workplace();
  make_other_data();
  auto arguments = on_other_data({"--name", "outside", "--tta", "3"});
  arguments.insert(arguments.end(), with_patients.begin(), with_patients.end());
  here.need(arguments);
  const auto run = here.run("outside");
  CHECK(run.stamps.empty());
  CHECK(run.metrics.contains("test.patient.auc"));
  CHECK(run.metrics.contains("test.tta.auc"));
  const auto reader = here.reader();
  const auto split = reader.split(run.id);
  REQUIRE(split);
  CHECK(split->row.method == "external");
  CHECK(split->row.by == "patient");
  REQUIRE(split->parts.size() == 1);
  CHECK(split->parts[0].first == "test");
  CHECK(split->parts[0].second.first == 24);
  CHECK(split->parts[0].second.second >= 6);
  CHECK(reader.curves(run.id).size() == 8);
  std::optional<double> frozen;
  for (const auto& one : reader.evaluations(here.run("small").id))
    if (one.row.part == "test") frozen = one.row.threshold_value;
  for (const auto& one : reader.evaluations(run.id)) CHECK(one.row.threshold_value == frozen);
  for (const auto* command : {"show", "curve", "log"})
    CHECK(here.bcx({command, "outside", "test.auc"}).code ==
          (command == std::string("curve") ? 0 : 2));
  CHECK(here.bcx({"compare", "small", "outside"}).code != 1);

  // What a run predicts is what its evaluation stored.
  const auto predicted = here.need({"predict", "small", "other", "--json", "--quiet"});
  const auto lines = test::json_lines(predicted.out);
  for (const auto& [name, logits] : here.logits("outside", "final"))
    CHECK(static_cast<float>(lines.at("other/" + name).at("logits")[0].get<double>()) == logits[0]);
}

TEST_CASE("without patients the evaluation is stamped") {
  const auto& here = workplace();
  make_other_data();
  const auto done = here.need(on_other_data({"--name", "nobody"}));
  CHECK(stamps(here.run("nobody")) == std::vector<std::string>{"UNGROUPED"});
  CHECK(done.err.find("warning: this run is stamped UNGROUPED\n") != std::string::npos);
  CHECK(done.out.find("stamped UNGROUPED\n") != std::string::npos);
}

TEST_CASE("patients that the model has seen are refused, or stamped when that is allowed") {
  const auto& here = workplace();
  const std::vector<std::string> same{"evaluate", "small", "--data", "demo", "--name", "seen"};
  const auto refused = here.bcx(same);
  CHECK(refused.code == 3);
  CHECK(refused.err.find("error: audit: ") != std::string::npos);
  CHECK(refused.err.find(" values of \"case\" in these data are among those that small was trained "
                         "on (") != std::string::npos);
  CHECK(refused.err.find("; evaluate on other patients, or allow it: --allow group_overlap (stamps "
                         "the run LEAKY)\n") != std::string::npos);
  CHECK(refused.err.find("error: audit: images that small was trained on are among these data (") !=
        std::string::npos);
  CHECK(here.bcx({"show", "seen"}).code == 2);  // nothing was made
  auto allowed = same;
  allowed.insert(allowed.end(), {"--allow", "group_overlap", "--allow", "identical_image"});
  here.need(allowed);
  CHECK(stamps(here.run("seen")) == std::vector<std::string>{"IDENTICAL_IMAGE", "LEAKY"});
  for (const auto& stamp : here.run("seen").stamps) {  // each says why
    INFO(stamp.name << ": " << stamp.detail);
    CHECK(!stamp.detail.empty());
  }
}

TEST_CASE("the very pictures are found under other names, and by name when nothing else is left") {
  const auto& here = workplace();
  make_other_data();
  // Training pictures among others, called otherwise and as another file format's bytes.
  const auto reader = here.reader();
  const auto root = here.path() / "other-and-seen";
  fs::copy(here.path() / "other", root, fs::copy_options::recursive);
  for (const auto& sample : reader.split_samples(here.run("small").id))
    if (sample.part == "train") {
      data::write_png(root / "benign/p9_900.png",
                      data::read_image(here.path() / "demo" / sample.name).image.view());
      break;
    }
  auto arguments = on_other_data(with_patients);
  arguments[3] = "other-and-seen";
  const auto done = here.bcx(arguments);
  CHECK(done.code == 3);
  CHECK(done.err.find("error: audit: images that small was trained on are among these data "
                      "(benign/p9_900.png") != std::string::npos);

  // The run's own images gone, names are all there is.
  fs::rename(here.path() / "demo", here.path() / "demo-away");
  const auto gone = here.bcx(arguments);
  auto own = here.bcx({"evaluate", "small", "--data", "demo-away", "--allow", "group_overlap"});
  fs::rename(here.path() / "demo-away", here.path() / "demo");
  CHECK(gone.code == 0);
  CHECK(gone.err.find("warning: the images that small was trained on cannot be read any more: "
                      "pictures are compared by their names alone\n") != std::string::npos);
  CHECK(own.code == 3);
  CHECK(own.err.find("images that small was trained on are among these data (") !=
        std::string::npos);
}

TEST_CASE("what does not fit the model is said") {
  const auto& here = workplace();
  make_other_data();
  if (!fs::exists(here.path() / "renamed")) {
    fs::copy(here.path() / "other", here.path() / "renamed", fs::copy_options::recursive);
    fs::rename(here.path() / "renamed/malignant", here.path() / "renamed/tumour");
  }
  auto arguments = on_other_data({"--quiet"});
  arguments[3] = "renamed";
  const auto classes = here.bcx(arguments);
  CHECK(classes.code == 3);
  CHECK(classes.err.find("malignant") != std::string::npos);
  here.fails({"evaluate", "small", "--set", "train.epochs=3"}, 2,
             "error: --set train.epochs=3: is no key of the data; bcx evaluate takes data.* alone; "
             "the rest is the run's own\n");
  here.fails({"evaluate", "small", "--set", "data.image_size=32"}, 2,
             "error: --set data.image_size=32: data.image_size is the model's own, or of no use "
             "here; what an audit finds is allowed with --allow\n");
  here.fails(
      {"evaluate", "small", "--allow", "group_overlp"}, 2,
      "error: --allow: no audit finding \"group_overlp\"; did you mean \"group_overlap\"?\n");
}
