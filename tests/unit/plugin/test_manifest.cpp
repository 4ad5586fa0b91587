// Manifests: what is read and what is said about mistakes, word for word.

#include "base/error.h"
#include "plugin/manifest.h"
#include "tests/catch.h"

using namespace bcx;
using plugin::parse_manifest;

namespace {

const std::string head =
    "name = \"densenet\"\nkind = \"backbone\"\nversion = \"1.0.0\"\nsummary = \"Dense.\"\n";

std::string mistakes(const std::string& text) {
  try {
    parse_manifest(text, "plugin.toml");
    return "";
  } catch (const Error& error) {
    CHECK(error.code() == ExitCode::plugin);
    return error.what();
  }
}

// The mistakes of one parameter whose keys begin in line 8.
std::string param_mistakes(const std::string& keys) {
  return mistakes(head + "[[component]]\nname = \"a\"\n[[component.param]]\n" + keys);
}

}  // namespace

TEST_CASE("a manifest with everything in it") {
  const auto manifest = parse_manifest(head + R"(
[[component]]
name = "densenet201"
[component.facts]
parameters = 18092928
gmacs_224 = 4
smallest_size = 32
channels = 1920
weights = ["imagenet"]
[[component.param]]
name = "drop_rate"
type = "float"
default = 0
min = 0.0
exclusive_max = 1
unit = "probability"
doc = "Dropout after each dense layer."
[[component.param]]
name = "stages"
type = "list of int"
min = 1
[[component.param]]
name = "mode"
type = "string"
default = "a"
choices = ["a", "b"]
[[component]]
name = "densenet121"
summary = "The small one."
)",
                                       "plugin.toml");
  CHECK(manifest.name == "densenet");
  CHECK(manifest.kind == config::ComponentKind::backbone);
  REQUIRE(manifest.components.size() == 2);
  const auto& big = manifest.components[0];
  CHECK(big.name == "densenet201");
  CHECK(big.plugin == "densenet");
  CHECK(big.version == "1.0.0");
  CHECK(big.summary == "Dense.");
  CHECK(manifest.components[1].summary == "The small one.");
  CHECK(big.facts.parameters == 18092928);
  CHECK(big.facts.gmacs_224 == 4.0);
  CHECK(big.facts.smallest_size == 32);
  CHECK(big.facts.channels == 1920);
  CHECK(big.facts.weights == std::vector<std::string>{"imagenet"});
  REQUIRE(big.params.size() == 3);
  CHECK(big.params[0].type == config::Type::real);
  CHECK(std::get<double>(big.params[0].default_value.value()) == 0.0);
  CHECK(big.params[0].minimum == 0.0);
  CHECK(big.params[0].maximum == 1.0);
  CHECK_FALSE(big.params[0].exclusive_minimum);
  CHECK(big.params[0].exclusive_maximum);
  CHECK(big.params[0].unit == "probability");
  CHECK(big.params[1].type == config::Type::integers);
  CHECK_FALSE(big.params[1].default_value);
  CHECK(big.params[2].choices.size() == 2);
}

TEST_CASE("an augmentation with a stage is a preprocess component") {
  const auto manifest = parse_manifest(R"(name = "stain"
kind = "augmentation"
version = "0.1.0"
summary = "Stain normalisation."
[[component]]
name = "macenko"
stage = "preprocess"
[[component]]
name = "hed_jitter"
)",
                                       "plugin.toml");
  CHECK(manifest.components[0].kind == config::ComponentKind::preprocess);
  CHECK(manifest.components[1].kind == config::ComponentKind::augmentation);
  CHECK(mistakes(head + "[[component]]\nname = \"a\"\nstage = \"preprocess\"\n") ==
        "plugin.toml:7:9: only augmentations have a stage");
}

TEST_CASE("mistakes in the head") {
  CHECK(mistakes("name = ").starts_with("plugin.toml:1:8: not TOML: "));
  CHECK(mistakes("kind = \"model\"\nversion = \"1\"\nname = \"Dense Net\"\nsumary = \"\"\n") ==
        "plugin.toml:1:1: missing key \"summary\"\n"
        "plugin.toml:1:1: there is no [[component]]; declare at least one\n"
        "plugin.toml:1:8: kind: expected \"backbone\", \"augmentation\", \"optimizer\" or "
        "\"callback\", got \"model\"\n"
        "plugin.toml:2:11: version: expected three numbers such as \"1.0.0\", got \"1\"\n"
        "plugin.toml:3:8: name: expected lower-case letters, digits and _, a letter first, at "
        "most 64 in all, got \"Dense Net\"\n"
        "plugin.toml:4:1: unknown key \"sumary\"; did you mean \"summary\"?");
  CHECK(mistakes(head + "component = 3\n") ==
        "plugin.toml:5:13: component: expected a list of tables, got 3; write [[component]]");
}

TEST_CASE("mistakes in a component") {
  CHECK(mistakes(head + "[[component]]\nname = \"a\"\n[[component]]\nname = \"a\"\n") ==
        "plugin.toml:7:1: component \"a\" is declared twice");
  CHECK(mistakes(head + "[[component]]\n[component.facts]\nparameters = -1\nmacs = 2\n") ==
        "plugin.toml:5:1: missing key \"name\" in [component]\n"
        "plugin.toml:7:14: parameters: expected an integer of at least 0, got -1\n"
        "plugin.toml:8:1: unknown key \"macs\"");
  CHECK(mistakes(head + "[[component]]\nname = \"a\"\nfacts = 1\n") ==
        "plugin.toml:7:9: facts: expected a table, got 1");
}

TEST_CASE("mistakes in a parameter") {
  CHECK(param_mistakes("name = \"p\"\ntype = \"float\"\n") == "");
  CHECK(param_mistakes("type = \"double\"\n") ==
        "plugin.toml:7:1: missing key \"name\" in [component.param]\n"
        "plugin.toml:8:8: type: expected \"bool\", \"int\", \"float\", \"string\", \"path\", "
        "\"list of "
        "bool\", \"list of int\", \"list of float\", \"list of string\" or \"list of path\", got "
        "\"double\"");
  CHECK(param_mistakes("name = \"p\"\ntype = \"float\"\nmin = 0\nmax = 1\ndefault = 2.0\n") ==
        "plugin.toml:12:11: default: expected a number from 0 to 1, got 2.0");
  CHECK(param_mistakes("name = \"p\"\ntype = \"float\"\nmin = 2\nmax = 1\n") ==
        "plugin.toml:7:1: the range of \"p\" is empty: [2, 1]");
  CHECK(param_mistakes("name = \"p\"\ntype = \"float\"\nmin = 1\nexclusive_max = 1\n") ==
        "plugin.toml:7:1: the range of \"p\" is empty: [1, 1)");
  CHECK(param_mistakes("name = \"p\"\ntype = \"int\"\nmin = 1\nexclusive_min = 0\n") ==
        "plugin.toml:11:17: exclusive_min stands beside min; keep one of them");
  CHECK(param_mistakes("name = \"p\"\ntype = \"string\"\nmin = 1\n") ==
        "plugin.toml:10:7: min: only numbers have a range");
  CHECK(param_mistakes("name = \"p\"\ntype = \"int\"\nmin = 0.5\n") ==
        "plugin.toml:10:7: min: expected an integer, got 0.5");
  CHECK(param_mistakes("name = \"p\"\ntype = \"float\"\ndefault = nan\n") ==
        "plugin.toml:10:11: default: expected a finite number, got nan");
  CHECK(param_mistakes("name = \"p\"\ntype = \"int\"\nchoices = []\n") ==
        "plugin.toml:10:11: choices: expected a list of at least one value, got []");
  CHECK(param_mistakes("name = \"p\"\ntype = \"int\"\nchoices = [1, \"b\"]\n") ==
        "plugin.toml:10:15: choices: expected an integer, got \"b\"");
  CHECK(param_mistakes("name = \"p\"\ntype = \"int\"\nmin = 1\nchoices = [1]\n") ==
        "plugin.toml:11:11: choices stand beside a range; keep one of them");
  CHECK(param_mistakes("name = \"p\"\ntype = \"string\"\nchoices = [\"a\"]\ndefault = \"b\"\n") ==
        "plugin.toml:11:11: default: expected \"a\", got \"b\"; did you mean \"a\"?");
  CHECK(param_mistakes("name = \"enabled\"\ntype = \"bool\"\n") ==
        "plugin.toml:8:8: name: \"enabled\" is a word of the experiment file itself; choose "
        "another");
  CHECK(param_mistakes("name = \"p\"\ntype = \"bool\"\n[[component.param]]\nname = \"p\"\n"
                       "type = \"int\"\n") ==
        "plugin.toml:10:1: parameter \"p\" is declared twice");
}

TEST_CASE("what a parameter says about another one, and about the picture") {
  const std::string other = "[[component.param]]\nname = \"q\"\ntype = \"int\"\ndefault = 1\n";
  const auto manifest = parse_manifest(
      head +
          "[[component]]\nname = \"a\"\n[[component.param]]\nname = \"p\"\ntype = \"float\"\n"
          "default = 0.5\nat_most = \"q\"\nwindow = \"area\"\n" +
          other,
      "plugin.toml");
  CHECK(manifest.components[0].params[0].at_most == "q");
  CHECK(manifest.components[0].params[0].window == "area");
  const std::string p = "name = \"p\"\ntype = \"float\"\n";
  CHECK(param_mistakes(p + "at_most = \"r\"\n" + other) ==
        "plugin.toml:10:11: at_most: expected the name of another number, got \"r\"");
  CHECK(param_mistakes(p + "default = 2\nat_most = \"q\"\n" + other) ==
        "plugin.toml:11:11: at_most: the default of \"p\" is larger than that of \"q\"");
  CHECK(param_mistakes(p + "window = \"volume\"\n") ==
        "plugin.toml:10:10: window: expected \"side\" or \"area\", got \"volume\"");
  CHECK(param_mistakes("name = \"p\"\ntype = \"int\"\nwindow = \"side\"\n") ==
        "plugin.toml:10:10: window: only a float is a share of the picture");
}

TEST_CASE("the learning rate is the experiment's, not an optimizer's parameter") {
  const std::string text =
      "name = \"o\"\nkind = \"optimizer\"\nversion = \"1.0.0\"\nsummary = \"\"\n"
      "[[component]]\nname = \"a\"\n[[component.param]]\n"
      "name = \"learning_rate\"\ntype = \"float\"\n";
  CHECK(mistakes(text) ==
        "plugin.toml:8:8: name: \"learning_rate\" is a word of the experiment file itself; choose "
        "another");
}

TEST_CASE("hostile manifests are refused before they are parsed") {
  CHECK_FALSE(mistakes(std::string(plugin::manifest_limit + 1, ' ')).empty());
  CHECK_FALSE(mistakes("a = " + std::string(5000, '[')).empty());
  CHECK_FALSE(mistakes(std::string("a = \"\0\"", 8)).empty());
}
