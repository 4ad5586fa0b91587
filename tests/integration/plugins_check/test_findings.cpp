// Every check of a component finds what it is there for: fixtures that each break one rule.

#include "checked.h"

using namespace bcx;
using namespace bcx::test;
using Lines = std::vector<std::string>;

namespace {

/// What failed in one component, `check: text; remedy`.
Lines of(const nlohmann::json& report, const std::string& component) {
  Lines lines;
  for (auto& line : findings(report))
    if (line.starts_with(component + "/")) lines.push_back(line.substr(component.size() + 1));
  return lines;
}

nlohmann::json report_of(const std::string& fixture, const char* limit = "300") {
  return check_report(build_dir() / "tests/plugin_fixtures" / ("fixture_" + fixture + ".bcx.so"),
                      limit);
}

bool has(const Lines& lines, const std::string& line) {
  return std::find(lines.begin(), lines.end(), line) != lines.end();
}

}  // namespace

TEST_CASE("callbacks that break rules") {
  const auto report = report_of("callbacks", "2");
  const auto at = [&](const std::string& name) { return of(report, "callback \"" + name + "\""); };
  CHECK(
      of(report, "manifest") ==
      Lines{"reading: component \"unread\": parameter \"forgotten\" has no doc; say in a sentence "
            "what it does"});
  CHECK(at("fine").empty());
  CHECK(at("throws") == Lines{"parameters: with its defaults: no such luck",
                              "order: threw: no such luck", "state: threw: no such luck",
                              "lifetime: threw: no such luck"});
  const std::string hung = ": was not done after 2.00 s and was stopped; --time-limit allows more";
  CHECK(at("hangs") ==
        Lines{"parameters" + hung, "order" + hung, "state" + hung, "lifetime" + hung});
  const std::string crashed = ": ended by signal 11, segmentation fault";
  CHECK(at("crashes").at(0) == "parameters" + crashed);
  CHECK(at("leaves").at(0) == "parameters: ended the process with exit code 3");
  CHECK(at("unread") ==
        Lines{"parameters: parameter \"forgotten\" is declared and never read; read "
              "it in the constructor, or take it out of plugin.toml"});
  CHECK(at("bounds").at(0) == "parameters: with high = 100: a hundred is too much");
  CHECK(at("forgets") ==
        Lines{"state: resumed after epoch 1, it asks for something else than in one run; put "
              "everything into the state that a later epoch depends on"});
  CHECK(at("bad_rate").at(0) == "parameters: with its defaults: sets the learning rate to -1");
  CHECK(has(at("sure"), "order: threw: map::at"));
  CHECK(at("at_exit") ==
        Lines{"lifetime: at the process's normal end: ended by signal 6, aborted"});
  CHECK(at("needs_file").empty());
  for (const auto& check : report.at("checks"))
    if (check.at("component") == "callback \"needs_file\"") {
      CHECK(check.at("status") == "skipped");
      CHECK(check.at("text") == "a value of file is known to you alone");
      CHECK(check.at("remedy") == "give it a default to have the component checked");
    }
}

TEST_CASE("backbones that break rules") {
  const auto report = report_of("backbones");
  const auto at = [&](const std::string& name) { return of(report, "backbone \"" + name + "\""); };
  CHECK(has(at("wrong_channels"),
            "shapes: with 1 of 4 x 4 pixels: map is [1, 8, 4, 4], expected [1, "
            "16, h, w]; channels() says what forward() returns"));
  CHECK(at("unused_layer") ==
        Lines{"gradients: no gradient reaches 1 of 2 parameters: extra; use them "
              "in forward(), or do not register them"});
  CHECK(at("own_seed") == Lines{"seed: another seed makes the same parameters; initialise from "
                                "LibTorch's default generator, which the host seeds"});
  CHECK(
      at("global_random") ==
      Lines{"randomness: with its defaults: draws from LibTorch's default generator: a resumed run "
            "would differ; use sdk::dropout() and sdk::drop_path() with the context"});
  CHECK(has(at("hidden_copy"),
            "state: parameters and buffers copied into another object do not make "
            "it the same; register everything that decides the output, and keep "
            "no copies"));
  CHECK(at("moving_eval") ==
        Lines{"modes: evaluation changes buffers; update running statistics only "
              "when is_training()"});
  CHECK(at("batch_mean") ==
        Lines{"batches: in evaluation an image's features depend on the others in "
              "its batch; use running statistics when is_training() is false"});
  CHECK(has(at("float_only"),
            "precision: makes Float of float64 images; create tensors with the "
            "options of the input"));
  CHECK(at("too_small").size() == 1);
  CHECK(at("too_small").at(0).starts_with("shapes: with 1 of 4 x 4 pixels: threw: "));
  CHECK(at("too_small")
            .at(0)
            .ends_with("; smallest_size() says from which size on every image is taken"));
  CHECK(at("wrong_facts") == Lines{"facts: plugin.toml says parameters = 999, it is 24; correct "
                                   "[component.facts]"});
}

TEST_CASE("augmentations that break rules") {
  const auto report = report_of("augmentations");
  const auto at = [&](const std::string& name) {
    return of(report, "augmentation \"" + name + "\"");
  };
  CHECK(has(at("in_place"), "pixels: apply() changes its input; work on a new tensor"));
  CHECK(has(at("unclamped"),
            "pixels: apply() made pixels of 0 to 1.5, expected [0, 1]; clamp the "
            "result"));
  CHECK(
      has(at("global_random"),
          "draws: with its defaults: the same draws give another result; an augmentation is a pure "
          "function of images and draws"));
  CHECK(at("batch_mean").size() >= 1);
  CHECK(has(at("batch_mean"),
            "batches: with its defaults: what happens to a picture depends on the "
            "others in its batch; treat each sample alone, with its own row of "
            "draws.uniform()"));
  CHECK(
      has(at("counts_calls"),
          "draws: with its defaults: the same draws give another result; an augmentation is a pure "
          "function of images and draws"));
  CHECK(has(at("bad_targets"), "pixels: mix() made targets whose rows do not sum to 1"));
  CHECK(at("nothing") ==
        Lines{"pixels: capabilities() is 0; say composes, applies, mixes, or some of "
              "them with |"});
}

TEST_CASE("optimizers that break rules") {
  const auto report = report_of("optimizers");
  const auto at = [&](const std::string& name) { return of(report, "optimizer \"" + name + "\""); };
  CHECK(at("climbs").size() == 1);
  CHECK(
      at("climbs").at(0).starts_with("bowl: does not descend a convex bowl: 300 steps lead from "));
  CHECK(
      at("climbs").at(0).ends_with("over learning rates from 0.001 to 10; subtract from the "
                                   "parameters, and scale with the group's learning_rate"));
  CHECK(at("ignores_skip") ==
        Lines{"skip: with its defaults: a skipped step changes parameters or state; take what was "
              "there with at::where(skip, old, new)"});
  CHECK(
      at("hidden_state") ==
      Lines{"state: state copied into another object goes on to other bits; give out every tensor "
            "that a later step depends on, by reference"});
  CHECK(has(at("divides"),
            "zero gradient: a gradient of zero makes parameters that are not finite; "
            "guard divisions by a norm or a root"));
  CHECK(at("whole_buffer") ==
        Lines{"ranges: a frozen range changes; narrow state with the group's offset"});
  const auto adamw = at("adamw");
  REQUIRE(adamw.size() == 1);
  CHECK(adamw[0].starts_with("torch: differs from torch's own by "));
  CHECK(adamw[0].ends_with(" after 12 steps in float64; or give the component another name"));
}
