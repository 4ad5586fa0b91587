// extends, --set, environment: who has the say, and where each value came from.

#include "fake_catalog.h"

using namespace bcx;
using namespace bcx::test;

TEST_CASE("extending three files keeps every key's place") {
  Workplace work;
  work.write("base/a.toml",
             "[data]\nroot = \"images\"\n[train]\nepochs = 5\nbatch_size = "
             "8\n[[augmentation]]\nname = \"flip\"\n");
  work.write("base/b.toml", "extends = [\"a.toml\"]\n[train]\nbatch_size = 16\naccumulate = 2\n");
  work.write("c.toml", "[optimizer]\nlearning_rate = 0.5\n[train]\naccumulate = 4\n");
  work.write("x.toml",
             "extends = [\"base/b.toml\", \"c.toml\"]\n[train]\nclip_norm = 1\n\n[model]\nbackbone "
             "= \"resnet18\"\n");
  const Experiment experiment = work.load({"evaluate.tta=3"});
  CHECK(experiment.train.epochs == 5);
  CHECK(experiment.train.batch_size == 16);
  CHECK(experiment.train.accumulate == 4);
  CHECK(experiment.train.clip_norm == 1.0);
  CHECK(origin(experiment, "data.root") == "base/a.toml:2:8");
  CHECK(origin(experiment, "train.epochs") == "base/a.toml:4:10");
  CHECK(origin(experiment, "augmentation.flip.name") == "base/a.toml:7:8");
  CHECK(origin(experiment, "train.batch_size") == "base/b.toml:3:14");
  CHECK(origin(experiment, "train.accumulate") == "c.toml:4:14");
  CHECK(origin(experiment, "optimizer.learning_rate") == "c.toml:2:17");
  CHECK(origin(experiment, "train.clip_norm") == "x.toml:3:13");
  CHECK(origin(experiment, "model.backbone") == "x.toml:6:12");
  CHECK(origin(experiment, "evaluate.tta") == "--set evaluate.tta");
  CHECK(origin(experiment, "train.ema_decay") == "default");
  CHECK(origin(experiment, "augmentation.flip.horizontal") == "plugin manifest");
  CHECK(experiment.data.root == work / "base/images");
  CHECK(experiment.name == "x");
}

TEST_CASE("lists are replaced whole unless they are appended to") {
  Workplace work;
  work.write(
      "a.toml",
      "[experiment]\ntags = [\"a\"]\n[data]\nroot = \"d\"\n[[augmentation]]\nname = \"flip\"\n"
      "[[augmentation]]\nname = \"rotate\"\n");
  work.write("x.toml", "extends = \"a.toml\"\n[[augmentation]]\nname = \"zoom\"\nmin = 0.5\n");
  CHECK(work.load().augmentations.size() == 1);
  work.write("x.toml",
             "extends = [\"a.toml\"]\n[experiment]\ntags.append = "
             "[\"b\"]\n[[augmentation.append]]\nname = \"rotate\"\n"
             "degrees = 10\n[[callback.append]]\nname = \"checkpoint\"\n");
  const Experiment experiment = work.load();
  CHECK(experiment.tags == std::vector<std::string>{"a", "b"});
  REQUIRE(experiment.augmentations.size() == 3);
  CHECK(experiment.augmentations[1].instance == "rotate");
  CHECK(experiment.augmentations[2].instance == "rotate#2");
  CHECK(std::get<double>(experiment.augmentations[2].params.at("degrees")) == 10.0);
  CHECK(experiment.augmentations[2].plugin == "rotate_plugin");
  CHECK(experiment.callbacks.size() == 1);
  CHECK(origin(experiment, "augmentation.rotate#2.degrees") == "x.toml:6:11");
}

TEST_CASE("cycles, missing files and non-files are mistakes") {
  Workplace work;
  work.write("x.toml", "extends = [\"y.toml\"]\n");
  work.write("y.toml", "extends = [\"sub/../x.toml\"]\n");
  std::filesystem::create_directories(work / "sub");
  CHECK(work.mistakes() ==
        "y.toml:1:12: extends: \"sub/../x.toml\" extends itself through other files");
  work.write("x.toml", "extends = [\"x.toml\", \"none.toml\", 3, \"sub\"]\n");
  CHECK(work.mistakes() ==
        "x.toml:1:12: extends: \"x.toml\" extends itself\n"
        "x.toml:1:22: extends: no such file \"none.toml\"; a relative path starts at the file that "
        "says it\n"
        "x.toml:1:35: extends: expected a path, got 3\n"
        "x.toml:1:38: extends: no such file \"sub\"; a relative path starts at the file that says "
        "it");
  CHECK(work.mistakes_of(work.options({}, "gone.toml")) ==
        "gone.toml: cannot be opened: No such file or directory");
}

TEST_CASE("the first syntax error of each file is reported") {
  Workplace work;
  work.write("a.toml", "a = \nb = \n");
  work.write("x.toml", "extends = [\"a.toml\", \"b.toml\"]\n");
  work.write("b.toml", "[data\nroot = 1\n");
  const std::string text = work.mistakes();
  CHECK(text.find("a.toml:1:") != std::string::npos);
  CHECK(text.find("\nb.toml:1:") != std::string::npos);
  CHECK(std::count(text.begin(), text.end(), '\n') == 1);
}

TEST_CASE("extending the same file twice per level ends") {
  Workplace work;
  for (int i = 0; i < 20; ++i)
    work.write("f" + std::to_string(i) + ".toml", "extends = [\"f" + std::to_string(i + 1) +
                                                      ".toml\", \"f" + std::to_string(i + 1) +
                                                      ".toml\"]\n");
  work.write("f20.toml", "");
  work.write("x.toml", "extends = [\"f0.toml\"]\n");
  CHECK(work.mistakes().find("extends: more than 64 files") != std::string::npos);
}

TEST_CASE("--set takes TOML, bare words and element names") {
  Workplace work;
  work.write("x.toml",
             "[data]\nroot = \"d\"\n[[augmentation]]\nname = \"rotate\"\n[[augmentation]]\nname = "
             "\"rotate\"\n"
             "[[train.stage]]\nepoch = 0\n[[train.stage]]\nepoch = 3\n");
  const Experiment experiment = work.load(
      {"train.batch_size=32", "train.precision = fp32", "augmentation.rotate.degrees=30",
       "augmentation.rotate#2.degrees=60", "train.stage.#2.epoch=4", "experiment.name=5",
       "data.classes=[\"a\", \"b\"]", "evaluate.threshold=0.25", "train.freeze=[]",
       "data.positive=b", "experiment.tags.append=[\"t\"]", "experiment.notes=2024-01-31"});
  CHECK(experiment.train.batch_size == 32);
  CHECK(experiment.train.precision == "fp32");
  CHECK(std::get<double>(experiment.augmentations[0].params.at("degrees")) == 30.0);
  CHECK(std::get<double>(experiment.augmentations[1].params.at("degrees")) == 60.0);
  CHECK(experiment.train.stages[1].epoch == 4);
  CHECK(experiment.name == "5");
  CHECK(experiment.evaluate.threshold == "0.25");
  CHECK(experiment.tags == std::vector<std::string>{"t"});
  CHECK(experiment.notes == "2024-01-31");
  CHECK(work.load({"data.root=\"other\""}).data.root == work / "other");
  CHECK(work.load({"data.root=/abs/x/../y"}).data.root == "/abs/y");
  CHECK(work.load({"augmentation=[]"}).augmentations.empty());
  CHECK(work.load({"augmentation.rotate.enabled=false"}).augmentations[0].instance == "rotate#2");
}

TEST_CASE("--set says what is wrong with itself") {
  Workplace work;
  work.write("x.toml", "[data]\nroot = \"d\"\n[[augmentation]]\nname = \"rotate\"\n");
  CHECK(work.mistakes({"train.epochs"}) ==
        "--set train.epochs: expected KEY=VALUE; write --set train.batch_size=32");
  CHECK(work.mistakes({"train.epocs=3"}) ==
        "--set train.epocs: unknown key \"epocs\" in [train]; did you mean \"epochs\"?");
  CHECK(work.mistakes({"augmentation.rotat.degrees=3"}) ==
        "--set augmentation.rotat.degrees: no element \"rotat\" in [[augmentation]]; did you mean "
        "\"rotate\"?");
  CHECK(work.mistakes({"augmentation.rotate#2.degrees=3"}) ==
        "--set augmentation.rotate#2.degrees: no element \"rotate#2\" in [[augmentation]]; did you "
        "mean \"rotate\"?");
  CHECK(work.mistakes({"callback.checkpoint.monitor=x"})
            .find("--set callback.checkpoint.monitor: ") == 0);
  CHECK(work.mistakes({"=3"}) == "--set : expected a key such as train.batch_size before the =");
  CHECK(work.mistakes({"data.classes=[1,"}).find("--set data.classes: not TOML: ") == 0);
  CHECK(work.mistakes({"train.epochs=ten"}) ==
        "--set train.epochs: train.epochs: expected an integer of at least 1, got \"ten\"");
}

TEST_CASE("files, then environment, then options, then --set") {
  Workplace work;
  work.write("x.toml", "[data]\nroot = \"d\"\n[tracker]\npath = \"t.db\"\n");
  LoadOptions options = work.options();
  CHECK(load_experiment(options, work.catalog).tracker == work / "t.db");
  options.environment = {{"BCX_DATA", "/data"}, {"BCX_TRACKER", "e.db"}, {"HOME", "/x"}};
  Experiment experiment = load_experiment(options, work.catalog);
  CHECK(experiment.data.root == "/data");
  CHECK(experiment.tracker == work / "e.db");
  CHECK(origin(experiment, "data.root") == "BCX_DATA");
  options.options = {{"--tracker", "tracker.path", "o.db"},
                     {"--tag", "experiment.tags.append", "1"},
                     {"--tag", "experiment.tags.append", "two"}};
  experiment = load_experiment(options, work.catalog);
  CHECK(experiment.tracker == work / "o.db");
  CHECK(origin(experiment, "tracker.path") == "--tracker");
  CHECK(experiment.tags == std::vector<std::string>{"1", "two"});
  options.sets = {"data.root=mine", "tracker.path=s.db"};
  experiment = load_experiment(options, work.catalog);
  CHECK(experiment.data.root == work / "mine");
  CHECK(experiment.tracker == work / "s.db");
  work.write("x.toml", "[data]\nroot = \"/absolute\"\n");
  options.sets.clear();
  CHECK(load_experiment(options, work.catalog).data.root == "/absolute");
  work.write("x.toml", "");
  CHECK(load_experiment(options, work.catalog).data.root == "/data");
}

TEST_CASE("the tracker's path starts at the working directory, others at their file") {
  Workplace work;
  work.write(
      "sub/x.toml",
      "[data]\nroot = \"d\"\n[model]\nweights = \"w.safetensors\"\n[tracker]\npath = \"t.db\"\n"
      "[plugins]\npath = [\"p\", \"/q\"]\n[[callback]]\nname = \"csv_log\"\npath = \"log.csv\"\n");
  const Experiment experiment = work.load({}, "sub/x.toml");
  CHECK(experiment.data.root == work / "sub/d");
  CHECK(experiment.model.weights == (work / "sub/w.safetensors").string());
  CHECK(experiment.tracker == work / "t.db");
  CHECK(std::get<std::string>(experiment.callbacks[0].params.at("path")) ==
        (work / "sub/log.csv").string());
  const std::vector<std::filesystem::path> expected = {work / "sub/p", "/q"};
  CHECK(experiment.plugin_paths == expected);
  CHECK(plugin_paths(work.options({}, "sub/x.toml")) == expected);
  CHECK(plugin_paths(work.options({"plugins.path=[\"r\"]", "nonsense"}, "sub/x.toml")) ==
        std::vector<std::filesystem::path>{work / "r"});
  work.write("sub/x.toml", "[data]\nrot = 3\n[plugins]\npath = [\"p\"]\n[train]\nepochs = \"x\"\n");
  CHECK(plugin_paths(work.options({}, "sub/x.toml")).size() == 1);
  CHECK(plugin_paths(work.options({}, "gone.toml")).empty());
}
