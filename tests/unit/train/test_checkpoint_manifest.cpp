#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "base/error.h"
#include "tests/catch.h"
#include "train/checkpoint_manifest.h"

using namespace bcx;
using nlohmann::json;

namespace {

const json whole = json::parse(R"({
  "format": 2, "epoch": 3, "samples": 16, "step": 70, "batch_size": 8, "epochs": 20,
  "epoch_batch_size": 8, "learning_rate": 1e-4, "horizon": 200.0, "stop": false,
  "frozen_by_callback": false, "stop_reason": "", "best_tag": "best", "precision": "bf16",
  "frozen": ["backbone.*"], "callbacks": {"checkpoint": "{}"}, "roll_backs": 0,
  "skipped_in_a_row": 0, "overflows_in_a_row": 0, "parts": 1, "preprocess": {"macenko": "x"},
  "config_hash": "any other key"})");

std::string refused(const std::string& text) {
  try {
    train::parse_manifest(text, "last.safetensors");
  } catch (const Error& error) {
    CHECK(error.code() == ExitCode::data);
    return error.what();
  }
  return "taken";
}

std::string damaged(const std::string& key) {
  return fmt::format(
      "last.safetensors: its manifest is damaged: \"{}\" is missing or of another type", key);
}

}  // namespace

TEST_CASE("a whole manifest is taken as it is") {
  CHECK(train::parse_manifest(whole.dump(), "last.safetensors") == whole);
}

TEST_CASE("each key is needed, and of its type") {
  for (const auto& [key, value] : whole.items()) {
    if (key == "format" || key == "config_hash") continue;
    INFO(key);
    const bool optional =
        key == "roll_backs" || key.ends_with("_in_a_row") || key == "parts" || key == "preprocess";
    auto without = whole;
    without.erase(key);
    CHECK(refused(without.dump()) == (optional ? "taken" : damaged(key)));
    for (const json& wrong : {json(nullptr), json(-1), json(9007199254740993), json(1.5),
                              json(true), json("x"), json::array({1}), json::object({{"a", 1}})}) {
      const bool number = value.is_number_float() && (wrong.is_number());
      const bool same = wrong.type() == value.type() && !wrong.is_structured();
      auto changed = whole;
      changed[key] = wrong;
      INFO(wrong);
      CHECK(refused(changed.dump()) == (number || same ? "taken" : damaged(key)));
    }
  }
}

TEST_CASE("a validation that was stopped: numbers in text, tags that are files' names") {
  const auto with = [](const char* key, const json& value) {
    auto changed = whole;
    changed["validating"] =
        json::parse(R"({"metrics": {"train.loss": "0.5", "x": "nan"}, "removed": ["old"],
                        "checkpoints": [{"tag": "best", "monitor": "x", "best": true,
                                         "value": "-inf"}]})");
    if (*key) changed["validating"][key] = value;
    return refused(changed.dump());
  };
  CHECK(with("", {}) == "taken");
  for (const char* key : {"metrics", "removed", "checkpoints"}) {
    CHECK(with(key, nullptr) == damaged("validating"));
    CHECK(with(key, json::array({1})) == damaged("validating"));
    CHECK(with(key, json::object({{"a", 1}})) == damaged("validating"));
  }
  CHECK(with("removed", {"../../other"}) == damaged("validating"));
  for (const char* request :
       {R"({"tag": "../up", "monitor": "", "best": true})", R"({"tag": "a", "best": true})",
        R"({"tag": "a", "monitor": "", "best": 1})", R"({"monitor": "", "best": true})",
        R"({"tag": "a", "monitor": "", "best": true, "value": 0.5})"})
    CHECK(with("checkpoints", json::array({json::parse(request)})) == damaged("validating"));

  for (const char* tag : {"last-1", ".", "a/b", "..", "/etc/x"}) {
    auto best = whole;
    best["best_tag"] = tag;
    CHECK(refused(best.dump()) == damaged("best_tag"));
  }
  CHECK(train::number_of("0.1") == 0.1);
  CHECK(std::isnan(train::number_of("nan")));
  CHECK(train::number_of("-inf") == -std::numeric_limits<double>::infinity());
}

TEST_CASE("another format, and what is no manifest at all") {
  auto other = whole;
  other["format"] = 3;
  CHECK(refused(other.dump()) ==
        "last.safetensors: has checkpoint format 3, this bcx reads 2; use a newer bcx");
  other["format"] = 1;
  CHECK(refused(other.dump()) ==
        "last.safetensors: has checkpoint format 1, this bcx reads 2; use an older bcx");
  for (const char* text : {"", "[]", "{}", "{\"format\": \"2\"}", "{\"format\": 2.0}", "nonsense"})
    CHECK(refused(text) == "last.safetensors: its manifest is damaged");
}
