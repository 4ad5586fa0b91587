// `bcx run` as a user runs it: real processes, real files, a real network on small pictures.

#include "tests/integration/train/workplace.h"

using namespace bcx;
namespace fs = std::filesystem;
using test::require_same_tensors;
using test::results;

namespace {

constexpr const char* small_experiment = R"(
extends = ["demo.toml"]
[model]
backbone = "resnet18"
[[augmentation]]
name = "flip"
horizontal = 0.5
[[augmentation]]
name = "rotate"
degrees = 90.0
[optimizer]
name = "adam"
learning_rate = 1e-3
[schedule]
name = "cosine"
unit = "step"
[train]
epochs = 3
batch_size = 16
ema_decay = 0.9
[[callback]]
name = "checkpoint"
monitor = "val.loss"
mode = "min"
[[callback]]
name = "reduce_lr_on_plateau"
monitor = "val.loss"
mode = "min"
patience = 1
[evaluate]
tta = 2
)";

struct Workplace : test::RunWorkplace {
  Workplace() : test::RunWorkplace("small", small_experiment, 72, 9) {}
};

}  // namespace

TEST_CASE("a run trains, is recorded and can be shown") {
  const Workplace here;
  const auto done = here.bcx({"run", "small.toml", "--tag", "first"});
  INFO(done.err);
  REQUIRE(done.code == 0);
  CHECK(done.out.find("majority_baseline") != std::string::npos);
  CHECK(done.out.find("with test-time augmentation") != std::string::npos);
  CHECK(done.err.find("epoch 3/3") != std::string::npos);

  const auto run = here.run_named("small");
  CHECK(run.at("status") == "finished");
  CHECK(run.at("stamps").empty());
  CHECK(run.at("params").at("train.batch_size") == 16);
  for (const char* name :
       {"train.loss", "val.auc", "test.auc", "test.patient.auc", "images_per_second"}) {
    INFO(name);
    CHECK(run.at("metrics").contains(name));
  }
  const auto shown = here.bcx({"show", "@last"});
  INFO(shown.err);
  CHECK(shown.code == 0);
  CHECK(shown.out.find("small") != std::string::npos);
  CHECK(here.bcx({"curve", "@last", "train.step_loss"}).code == 0);
  CHECK(here.bcx({"log", "@last"}).code == 0);
  // Epochs count from 1, for steps, for what ends an epoch, and for checkpoints alike.
  CHECK(
      here.bcx({"sql", "--csv",
                "SELECT DISTINCT epoch FROM v_metric WHERE key IN ('train.step_loss', 'val.loss') "
                "UNION SELECT epoch FROM v_evaluation ORDER BY 1"})
          .out == "epoch\n1\n2\n3\n");

  const auto again = here.bcx({"resume", "@last"});
  CHECK(again.code == 2);
  CHECK(again.err ==
        "error: run small: is finished; give it more epochs: bcx resume @last --set "
        "train.epochs=N\n");
}

TEST_CASE("validation settles temperature and threshold, and the test part goes by them") {
  const Workplace here;
  const auto done =
      here.bcx({"run", "small.toml", "--set", "train.epochs=1", "--set", "evaluate.tta=1", "--set",
                "evaluate.temperature=validation", "--set", "evaluate.threshold=cost=5"});
  INFO(done.err);
  REQUIRE(done.code == 0);
  CHECK(done.err.find("temperature ") < done.err.find("threshold "));
  const auto run = nlohmann::json::parse(here.bcx({"show", "@last", "--json"}).out);
  const auto& test = run.at("evaluations").back();
  CHECK(test.at("part") == "test");
  CHECK(test.at("threshold") == "cost=5");
  CHECK(test.at("temperature").get<double>() > 0);
  CHECK(test.at("temperature") == run.at("params").at("temperature"));
  CHECK(test.at("threshold_value") == run.at("params").at("threshold"));
  const auto curves = here.bcx({"sql", "SELECT group_concat(kind) FROM curve"});
  for (const char* kind : {"calibration", "roc", "pr", "decision"})
    CHECK(curves.out.find(kind) != std::string::npos);
  CHECK(here.bcx({"show", "@last"}).out.find("temperature") != std::string::npos);

  const auto none = here.bcx({"run", "small.toml", "--set", "data.split.validation=0.0", "--set",
                              "evaluate.temperature=validation"});
  CHECK(none.code == 3);
  CHECK(
      none.err.find("no temperature can be fitted: the validation part is empty; use \"none\", or "
                    "another split") != std::string::npos);
}

TEST_CASE("stopped in the middle of an epoch and resumed, a run ends with the same bytes") {
  const Workplace here;
  const auto whole = here.bcx({"run", "small.toml", "--name", "whole"});
  INFO(whole.err);
  REQUIRE(whole.code == 0);

  test::Process stopped(here.command({"run", "small.toml", "--name", "stopped"}), here.path(),
                        here.path());
  REQUIRE(stopped.says("epoch 1/3"));
  stopped.signal(SIGTERM);
  const auto first = stopped.wait();
  INFO(first.err);
  REQUIRE(first.code == 75);
  CHECK(here.run_named("stopped").at("status") == "stopped");

  const auto second = here.bcx({"resume", "stopped"});
  INFO(second.err);
  REQUIRE(second.code == 0);
  require_same_tensors(here.newest_checkpoint("whole"), here.newest_checkpoint("stopped"));
  CHECK(results(here.run_named("whole")) == results(here.run_named("stopped")));
}

TEST_CASE("killed and resumed, a run ends with the same bytes") {
  const Workplace here;
  const auto whole = here.bcx({"run", "small.toml", "--name", "whole"});
  INFO(whole.err);
  REQUIRE(whole.code == 0);

  test::Process killed(here.command({"run", "small.toml", "--name", "killed"}), here.path(),
                       here.path());
  REQUIRE(killed.says("epoch 2/3"));
  killed.signal(SIGKILL);
  CHECK(killed.wait().code == 128 + SIGKILL);
  CHECK(here.run_named("killed").at("status") == "crashed");

  const auto second = here.bcx({"resume", "killed"});
  INFO(second.err);
  REQUIRE(second.code == 0);
  require_same_tensors(here.newest_checkpoint("whole"), here.newest_checkpoint("killed"));
  CHECK(results(here.run_named("whole")) == results(here.run_named("killed")));
}

TEST_CASE("training sets of 0, 1 and 15 beyond full batches train") {
  const Workplace here;
  std::vector<fs::path> images;
  for (const auto& entry : fs::recursive_directory_iterator(here.path() / "demo"))
    if (entry.path().extension() == ".png") images.push_back(entry.path());
  std::sort(images.begin(), images.end());
  for (const std::size_t count : {32, 33, 47}) {
    const auto root = here.path() / ("n" + std::to_string(count));
    std::size_t n = 0;
    for (const auto& image : images) {
      if (n >= count + 8) break;
      const bool benign = image.filename().string().starts_with("SOB_B");
      // Classes in turn, so that both are in both parts.
      if (benign != (n % 2 == 0) && n + 8 < images.size()) continue;
      const auto folder =
          root / (n < count ? "train" : "validation") / (benign ? "benign" : "malignant");
      fs::create_directories(folder);
      fs::copy_file(image, folder / image.filename());
      ++n;
    }
    const auto done =
        here.bcx({"run", "small.toml", "--name", root.filename().string(), "--set",
                  "data.source=folders", "--set", "data.root=" + root.string(), "--set",
                  "data.split.by=image", "--set", "data.split.test=0.0", "--set", "train.epochs=1",
                  "--set", "data.audit.allow=[\"near_duplicate\", \"identical_image\"]"});
    INFO(done.err);
    CHECK(done.code == 0);
  }
}

TEST_CASE("a random split of images is stamped wherever the run is shown") {
  const Workplace here;
  const auto done =
      here.bcx({"run", "small.toml", "--set", "data.split.by=image", "--set", "train.epochs=1"});
  INFO(done.err);
  REQUIRE(done.code == 0);
  CHECK(here.run_named("small").at("stamps") == nlohmann::json({"LEAKY"}));
  CHECK(here.bcx({"runs"}).out.find("LEAKY") != std::string::npos);
  CHECK(here.bcx({"show", "@last"}).out.find("LEAKY") != std::string::npos);
}

TEST_CASE("what goes wrong in a run is said and recorded") {
  const Workplace here;
  const auto image = [&] {
    std::vector<fs::path> found;
    for (const auto& entry : fs::recursive_directory_iterator(here.path() / "demo"))
      if (entry.path().extension() == ".png") found.push_back(entry.path());
    return *std::min_element(found.begin(), found.end());
  }();
  const std::string whole = test::slurp(image);
  const auto fails = [&](std::vector<std::string> more, int code, const std::string& error) {
    std::vector<std::string> arguments{"run", "small.toml", "--quiet"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const auto done = here.bcx(arguments);
    CHECK(done.code == code);
    CHECK(done.err == error);
  };

  std::ofstream(image, std::ios::binary) << whole.substr(0, 300);
  fails({}, 3,
        "error: " + fs::canonical(image).string() +
            ": PNG is truncated: 8192 bytes are due at 41, the file has 300\n"
            "error: 1 of 72 images cannot be read; repair or remove them, or leave them out with "
            "data.unreadable = \"quarantine\"\n2 mistakes\n");
  CHECK(here.run_named("small").at("status") == "failed");
  std::ofstream(image, std::ios::binary) << whole;

  std::ofstream(here.path() / "junk.safetensors") << "junk";
  const std::string junk = (fs::canonical(here.path()) / "junk.safetensors").string();
  fails({"--set", "model.weights=junk.safetensors"}, 3,
        "error: " + junk + ": holds 4 bytes, a safetensors file has at least 10\n");

  const auto plugins = here.path() / "plugins";
  fs::create_directory(plugins);
  std::ofstream(plugins / "mine.bcx.so", std::ios::binary)
      << test::slurp(test::build_dir() / "lib/bcx/plugins/csv_log.bcx.so").substr(0, 40);
  const auto broken =
      here.bcx({"run", "small.toml", "--plugin-path", "plugins", "--set", "model.backbone=mine"});
  CHECK(broken.code == 4);
  CHECK(broken.err.find("unknown backbone \"mine\"; see bcx plugins list\n") != std::string::npos);
  CHECK(broken.err.find("plugins/mine.bcx.so: ") != std::string::npos);

  fails({"--device", "cuda:7"}, 5,
        "error: device \"cuda:7\": no NVIDIA driver on this machine; use --device cpu\n");
  fails({"--set", "train.freeze=[\"backbone.lyer1.*\"]"}, 2,
        "error: train.freeze: freeze pattern \"backbone.lyer1.*\" matches no parameter\n");
  fails({"--set", "optimizer.learning_rate=1e30"}, 1,
        "error: the loss is nan at step 2 (epoch 1); lower optimizer.learning_rate, add a warm-up, "
        "or set "
        "train.clip_norm\n");

  const auto typo = here.bcx({"rnu", "small.toml"});
  CHECK(typo.code == 2);
  CHECK(typo.err == "error: unknown command \"rnu\"; did you mean \"run\"?\n");
}

TEST_CASE("weights that are not there are an error with three remedies") {
  const Workplace here;
  const auto missing =
      here.bcx({"run", "small.toml", "--quiet", "--set", "model.weights=imagenet"});
  INFO(missing.err);
  CHECK(missing.code == 3);
  for (const char* remedy : {"bcx weights fetch resnet18", ".safetensors", "none"})
    CHECK(missing.err.find(remedy) != std::string::npos);
}
