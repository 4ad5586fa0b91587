// Defaults, all mistakes at once, conflicts, files.

#include "fake_catalog.h"

using namespace bcx;
using namespace bcx::test;

TEST_CASE("the schema's defaults are the structures' own") {
  Workplace work;
  work.write("x.toml", "[data]\nroot = \"d\"\n");
  const Experiment e = work.load();
  const Experiment d;
  CHECK(e.name == "x");
  CHECK(e.seed == d.seed);
  CHECK(e.tags == d.tags);
  CHECK(e.notes == d.notes);
  CHECK(e.data.source == d.data.source);
  CHECK(e.data.pattern == d.data.pattern);
  CHECK(e.data.magnifications == d.data.magnifications);
  CHECK(e.data.classes == d.data.classes);
  CHECK(e.data.positive == d.data.positive);
  CHECK(e.data.patient == d.data.patient);
  CHECK(e.data.image_size == d.data.image_size);
  CHECK(e.data.cache_size == d.data.cache_size);
  CHECK(e.data.resize == d.data.resize);
  CHECK(e.data.interpolation == d.data.interpolation);
  CHECK(e.data.workers == d.data.workers);
  CHECK(e.data.unreadable == d.data.unreadable);
  CHECK(e.data.allow == d.data.allow);
  CHECK(e.data.split.by == d.data.split.by);
  CHECK(e.data.split.by_given == d.data.split.by_given);
  CHECK(e.data.split.method == d.data.split.method);
  CHECK(e.data.split.validation == d.data.split.validation);
  CHECK(e.data.split.test == d.data.split.test);
  CHECK(e.data.split.stratify == d.data.split.stratify);
  CHECK(e.data.split.folds == d.data.split.folds);
  CHECK(e.data.split.fold == d.data.split.fold);
  CHECK(e.data.split.repeats == d.data.split.repeats);
  CHECK(e.data.split.seed == d.data.split.seed);
  CHECK(e.data.split.files == d.data.split.files);
  CHECK(e.model.backbone.name == "densenet201");
  CHECK(e.model.weights == d.model.weights);
  CHECK(e.model.head.kind == d.model.head.kind);
  CHECK(e.model.head.pool == d.model.head.pool);
  CHECK(e.model.head.dropout == d.model.head.dropout);
  CHECK(e.model.head.batch_norm == d.model.head.batch_norm);
  CHECK(e.optimizer.name == "adam");
  CHECK(e.optimizer.params.size() == 1);
  CHECK(e.learning_rate == d.learning_rate);
  CHECK(e.schedule.name == d.schedule.name);
  CHECK(e.schedule.unit == d.schedule.unit);
  CHECK(e.schedule.warmup == d.schedule.warmup);
  CHECK(e.schedule.warmup_factor == d.schedule.warmup_factor);
  CHECK(e.schedule.horizon == d.schedule.horizon);
  CHECK(e.schedule.min_learning_rate == d.schedule.min_learning_rate);
  CHECK(e.schedule.step_size == d.schedule.step_size);
  CHECK(e.schedule.gamma == d.schedule.gamma);
  CHECK(e.schedule.milestones == d.schedule.milestones);
  CHECK(e.schedule.restart_period == d.schedule.restart_period);
  CHECK(e.schedule.restart_multiplier == d.schedule.restart_multiplier);
  CHECK(e.schedule.power == d.schedule.power);
  CHECK(e.parameter_groups.no_decay == d.parameter_groups.no_decay);
  CHECK(e.parameter_groups.layer_decay == d.parameter_groups.layer_decay);
  CHECK(e.parameter_groups.head_multiplier == d.parameter_groups.head_multiplier);
  CHECK(e.parameter_groups.groups.empty());
  CHECK(e.schedule.pct_start == d.schedule.pct_start);
  CHECK(e.schedule.div_factor == d.schedule.div_factor);
  CHECK(e.schedule.final_div_factor == d.schedule.final_div_factor);
  CHECK(e.loss.name == d.loss.name);
  CHECK(e.loss.label_smoothing == d.loss.label_smoothing);
  CHECK(e.loss.class_weights == d.loss.class_weights);
  CHECK(e.loss.focal_gamma == d.loss.focal_gamma);
  CHECK(e.loss.pos_weight == d.loss.pos_weight);
  CHECK(e.train.epochs == d.train.epochs);
  CHECK(e.train.batch_size == d.train.batch_size);
  CHECK(e.train.device == d.train.device);
  CHECK(e.train.precision == d.train.precision);
  CHECK(e.train.sampler == d.train.sampler);
  CHECK(e.train.last_batch == d.train.last_batch);
  CHECK(e.train.deterministic == d.train.deterministic);
  CHECK(e.train.threads == d.train.threads);
  CHECK(e.train.accumulate == d.train.accumulate);
  CHECK(e.train.clip_norm == d.train.clip_norm);
  CHECK(e.train.ema_decay == d.train.ema_decay);
  CHECK(e.train.freeze == d.train.freeze);
  CHECK(e.train.train_frozen_batch_norm == d.train.train_frozen_batch_norm);
  CHECK(e.train.stages.empty());
  CHECK(e.evaluate.tta == d.evaluate.tta);
  CHECK(e.evaluate.threshold == d.evaluate.threshold);
  CHECK(e.evaluate.batch_size == d.evaluate.batch_size);
  CHECK(e.tracker == work / "runs/bcx.db");
  CHECK(e.plugin_paths.empty());
  CHECK(e.augmentations.empty());
  CHECK(e.callbacks.empty());
  CHECK(e.source_text == "[data]\nroot = \"d\"\n");
}

TEST_CASE("all mistakes are reported at once, in the order of the file") {
  Workplace work;
  work.write("base.toml", "[train]\nbatch_size = 0\n");
  work.write("x.toml",
             "extends = [\"base.toml\"]\n"
             "epochs = 3\n"
             "[trian]\n"
             "a = 1\n"
             "[model]\n"
             "backbone = \"densnet201\"\n"
             "[optimizer]\n"
             "name = \"sgd\"\n"
             "learning_rate = nan\n"
             "momentun = 0.9\n"
             "[[augmentation]]\n"
             "name = \"zoom\"\n"
             "[[augmentation]]\n"
             "name = \"macenko\"\n"
             "[[augmentation]]\n"
             "degrees = 3\n"
             "[train]\n"
             "lr = 0.1\n"
             "learning_rate = 0.1\n"
             "precision = \"fp23\"\n"
             "[callback]\n"
             "name = \"checkpoint\"\n");
  CHECK(work.mistakes({"train.epochs=0"}) ==
        "x.toml: data.root is missing, expected a path; set it, or BCX_DATA\n"
        "x.toml:2:1: unknown key \"epochs\" at the top; it belongs in [train]\n"
        "x.toml:3:2: unknown section [trian]; did you mean \"train\"?\n"
        "x.toml:6:12: model.backbone: unknown backbone \"densnet201\"; did you mean "
        "\"densenet201\"? see bcx plugins list\n"
        "x.toml:9:17: optimizer.learning_rate: expected a finite number, got nan\n"
        "x.toml:10:1: unknown key \"momentun\" of sgd in [optimizer]; did you mean \"momentum\"?\n"
        "x.toml:11:1: augmentation.zoom.min is missing, expected a number from 0.01 to 100\n"
        "x.toml:14:8: augmentation.macenko.name: unknown augmentation \"macenko\"; it is a "
        "component of [[preprocess]]\n"
        "x.toml:15:1: augmentation.#1.name is missing, expected a string\n"
        "x.toml:18:1: unknown key \"lr\" in [train]\n"
        "x.toml:19:1: unknown key \"learning_rate\" in [train]; it belongs in [optimizer]\n"
        "x.toml:20:13: train.precision: expected \"auto\", \"fp32\", \"bf16\" or \"fp16\", got "
        "\"fp23\"; did you mean \"fp32\"?\n"
        "x.toml:21:1: expected [[callback]], got a table; write it in double brackets\n"
        "base.toml:2:14: train.batch_size: expected an integer from 1 to 65536, got 0\n"
        "--set train.epochs: train.epochs: expected an integer of at least 1, got 0");
}

TEST_CASE("settings that contradict each other") {
  const auto mistakes = [](const std::string& text) {
    Workplace work;
    work.write("x.toml", "[data]\nroot = \"d\"\n" + text);
    return work.mistakes();
  };
  CHECK(mistakes("[data.split]\nvalidation = 0.8\n") ==
        "x.toml:4:14: data.split.validation and data.split.test leave nothing to train on: "
        "expected a sum "
        "below 1, got 0.8 + 0.2");
  CHECK(mistakes("split.method = \"kfold\"\nsplit.fold = 5\n") ==
        "x.toml:4:14: data.split.fold: expected an integer below 5, got 5; folds count from 0");
  CHECK(mistakes("split.method = \"repeated\"\nsplit.fold = 9\nsplit.repeats = 2\n") == "");
  CHECK(mistakes("split.fold = 1\n") ==
        "x.toml:3:14: data.split.fold: method \"holdout\" has one split only, got 1; set method = "
        "\"kfold\"");
  CHECK(mistakes("split.method = \"files\"\nsplit.files = [\"f\"]\nsplit.fold = 1\n") ==
        "x.toml:5:14: data.split.fold: expected an integer below 1, got 1; there is one fold file "
        "for each "
        "fold, from 0");
  CHECK(mistakes("split.method = \"files\"\n") ==
        "x.toml:3:16: data.split.files is empty, and method \"files\" reads the split from there");
  CHECK(mistakes("split.files = [\"f\"]\n") ==
        "x.toml:3:15: data.split.files is not used by method \"holdout\"; set method = \"files\"");
  CHECK(mistakes("classes = [\"a\", \"a\"]\n") ==
        "x.toml:3:11: data.classes: a class is named twice");
  CHECK(
      mistakes("classes = [\"benign\", \"malignant\"]\npositive = \"malign\"\n") ==
      "x.toml:4:12: data.positive: \"malign\" is not in data.classes; did you mean \"malignant\"?");
  CHECK(mistakes("classes = [\"a\", \"b\"]\n[loss]\nclass_weights = [1, 2, 3]\n") ==
        "x.toml:5:17: loss.class_weights: expected one weight for each of 2 classes, got 3");
  CHECK(mistakes("classes = [\"a\", \"b\"]\n[model.head]\nkind = \"published\"\n") ==
        "x.toml:5:8: model.head.kind: the published classifier knows ImageNet's 1,000 classes, "
        "data.classes names 2; use \"new\"");
  CHECK(mistakes("cache_size = 100\n") ==
        "x.toml:3:14: data.cache_size: 100 is smaller than data.image_size, 224; leave it out, or "
        "make it larger");
  CHECK(mistakes("image_size = 16\n") ==
        "x.toml:3:14: data.image_size: densenet201 needs at least 32, got 16");
  CHECK(mistakes("[train]\nbatch_size = 1\n") ==
        "x.toml:4:14: train.batch_size: batch normalisation in the head needs at least 2, got 1; "
        "or set "
        "model.head.batch_norm = false");
  CHECK(mistakes("[[train.stage]]\nepoch = 4\n[[train.stage]]\nepoch = 4\n[[train.stage]]\nepoch = "
                 "20\n") ==
        "x.toml:6:9: train.stage.#2.epoch: expected more than the stage before, 4, got 4\n"
        "x.toml:8:9: train.stage.#3.epoch: expected fewer epochs than train.epochs, 20, got 20; "
        "it is how many epochs come before the stage");
  CHECK(
      mistakes("[train]\ndevice = \"gpu\"\n") ==
      "x.toml:4:10: train.device: expected \"auto\", \"cpu\", \"cuda\" or \"cuda:N\", got \"gpu\"");
  CHECK(mistakes("[evaluate]\nthreshold = \"sensitivity>=95\"\n") ==
        "x.toml:4:13: evaluate.threshold: expected a number from 0 to 1, \"youden\", "
        "\"sensitivity>=X\", \"specificity>=X\" or \"cost=C\", got \"sensitivity>=95\"");
  CHECK(mistakes("[evaluate]\nthreshold = \"sensitivity>=0.95\"\n") == "");
  CHECK(mistakes("[evaluate]\nthreshold = \"cost=5\"\n") == "");
  for (const char* wrong : {"cost=0", "cost=-1", "cost=", "cost=5x", "cost=nan"})
    CHECK(mistakes("[evaluate]\nthreshold = \"" + std::string(wrong) + "\"\n") != "");
  CHECK(mistakes("[model]\nweights = \"imagnet\"\n") ==
        "x.toml:4:11: model.weights: expected \"none\", \"imagenet\" or a path of a .safetensors "
        "file, got "
        "\"imagnet\"; did you mean \"imagenet\"?");
  CHECK(mistakes("[schedule]\nwarmup = 30\n") ==
        "x.toml:4:10: schedule.warmup: 30.0 is longer than the schedule, 20.0");
  CHECK(mistakes("[schedule]\nname = \"cosine\"\nmin_learning_rate = 1\n") ==
        "x.toml:5:21: schedule.min_learning_rate: 1.0 is above optimizer.learning_rate, 0.0001");
}

TEST_CASE("components that no plugin has are plugin errors") {
  Workplace work;
  const auto code = [&](const std::string& text) {
    work.write("x.toml", text);
    try {
      work.load();
      return ExitCode::ok;
    } catch (const ErrorList& error) {
      return error.code();
    }
  };
  CHECK(code("data.root = \"d\"\noptimizer.name = \"adm\"\n") == ExitCode::plugin);
  CHECK(code("data.root = \"d\"\noptimizer.name = \"adm\"\ntrain.epochs = 0\n") == ExitCode::usage);
  CHECK(code("data.root = 3\n") == ExitCode::usage);
}

TEST_CASE("a key that is wrong by itself brings no conflict with it") {
  Workplace work;
  work.write("x.toml",
             "[data]\nroot = \"d\"\n[data.split]\nvalidation = 1.5\ntest = 0.9\n[train]\nepochs = "
             "0\n[[train.stage]]\nepoch = 3\n");
  CHECK(work.mistakes() ==
        "x.toml:4:14: data.split.validation: expected a number of at least 0 and below 1, got 1.5\n"
        "x.toml:7:10: train.epochs: expected an integer of at least 1, got 0");
}

TEST_CASE("a sweep file is told from an experiment") {
  Workplace work;
  work.write("x.toml", "[data]\nroot = \"d\"\n[sweep]\nmethod = \"grid\"\n");
  CHECK(work.mistakes() == "x.toml:3:2: this is a sweep file; use bcx sweep run FILE");
}

TEST_CASE("names from the file are printed harmlessly") {
  Workplace work;
  work.write(
      "x.toml",
      "[data]\nroot = \"d\"\n\"\\u001b[31m\" = 1\n[model]\nbackbone = \"\\u001b]0;x\\u0007\"\n");
  const std::string text = work.mistakes();
  CHECK(text.find('\x1b') == std::string::npos);
  CHECK(text.find("unknown key \"\\x1b[31m\" in [data]") != std::string::npos);
}

TEST_CASE("files that are not there are data errors with the key's place") {
  Workplace work;
  work.write("x.toml", "[data]\nroot = \"d\"\n[model]\nweights = \"w.safetensors\"\n");
  auto errors = check_files(work.load());
  REQUIRE(errors.size() == 2);
  CHECK(errors[0].code() == ExitCode::data);
  CHECK(std::string(errors[0].what()) ==
        "x.toml:2:8: data.root: no such folder \"" + (work / "d").string() +
            "\"; set data.root, or BCX_DATA; bcx data demo DIR draws images to try with");
  CHECK(std::string(errors[1].what()) ==
        "x.toml:4:11: model.weights: no such file \"" + (work / "w.safetensors").string() +
            "\"; give the path of a .safetensors file, \"imagenet\" or \"none\"");
  work.write("d/image.png", "");
  work.write("w.safetensors", "");
  CHECK(check_files(work.load()).empty());
  CHECK(check_files(work.load({"data.root=x.toml"})).size() == 1);
}

TEST_CASE("a parameter that must not exceed another is told where it is said") {
  Workplace place;
  place.write("x.toml", "[data]\nroot = \".\"\n[[augmentation]]\nname = \"zoom\"\nmin = 1.5\n");
  CHECK(place.mistakes() ==
        "x.toml:5:7: augmentation.zoom.min: expected at most max, which is 1.25, got 1.5");
  CHECK(place.mistakes({"augmentation.zoom.max=1.5"}) == "");
  CHECK(place.mistakes({"augmentation.zoom.min=1", "augmentation.zoom.max=0.5"}) ==
        "--set augmentation.zoom.min: augmentation.zoom.min: expected at most max, which is 0.5, "
        "got 1.0");
}

TEST_CASE("crops of pictures that are cached too small ask for data.cache_size") {
  Workplace place;
  place.write("x.toml",
              "[data]\nroot = \".\"\n[[augmentation]]\nname = \"crop\"\n[[augmentation]]\n"
              "name = \"resized_crop\"\nmin_area = 0.28\n");
  const auto advice_with = [&](std::vector<std::string> sets) {
    return advice(place.load(std::move(sets)), place.catalog);
  };
  CHECK(advice_with({}) ==
        std::vector<std::string>{
            "augmentation.crop shows about 196 of 224 cached pixels a side, enlarged to 224: "
            "blurred; data.cache_size = 256 has the detail, at 1.3 times the memory",
            "augmentation.resized_crop shows about 179 of 224 cached pixels a side, enlarged to "
            "224: blurred; data.cache_size = 280 has the detail, at 1.6 times the memory"});
  CHECK(advice_with({"data.cache_size=256"}).size() == 1);
  CHECK(advice_with({"data.cache_size=280"}).empty());
  CHECK(advice_with({"augmentation.resized_crop.enabled=false", "augmentation.crop.share=1"})
            .empty());
}
