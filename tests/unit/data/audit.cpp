#include "data/audit.h"

#include "data_tables.h"
#include "tests/catch.h"

using namespace bcx;
using namespace bcx::data;

namespace {

// Four cases of two classes, each with two images: a and c train, b and d test.
struct Small {
  Small() {
    table = test::table_of({{"a", 0, 2}, {"b", 0, 2}, {"c", 1, 2}, {"d", 1, 2}});
    config::SplitConfig config;
    config.by_given = true;
    config.validation = 0;
    config.test = 0.5;
    split = test::seeded_split(table, config, 1);
    for (std::size_t i = 0; i < table.samples.size(); ++i) {
      const bool trains =
          table.samples[i].attributes[0] == "a" || table.samples[i].attributes[0] == "c";
      split.parts[i] = trains ? Part::train : Part::test;
      // Far apart: every hash differs from the others in many bits.
      facts.push_back({10, 10, 100 + i, 0x9E3779B97F4A7C15ull * (i + 1), "", "", ""});
    }
  }
  AuditReport report(const std::vector<std::string>& allow = {}) const {
    return audit(table, split, &facts, allow);
  }
  std::string error(const std::vector<std::string>& allow = {}) const {
    return test::error_of([&] { require_clean(report(allow)); });
  }
  SampleTable table;
  Split split;
  std::vector<ImageFacts> facts;
};

}  // namespace

TEST_CASE("a clean split has no findings") {
  const auto report = Small().report();
  CHECK(report.findings.empty());
  CHECK(report.stamps.empty());
  CHECK(report.notes.empty());
  CHECK(report.keys == std::vector<std::string>{"case"});
  CHECK(report.clean());
}

TEST_CASE("groups on two sides stop the run, by name they are allowed and stamped") {
  Small small;
  small.split.parts[1] = Part::test;
  CHECK(small.error() ==
        "audit: 1 value of \"case\" in more than one part (a: 1 train, 1 test); split by \"case\", "
        "or allow it: data.audit.allow = [\"group_overlap\"]");
  const auto allowed = small.report({"group_overlap"});
  CHECK(allowed.clean());
  CHECK(allowed.findings.at(0).allowed);
  CHECK(allowed.stamps == std::vector<std::string>{"LEAKY"});
}

TEST_CASE("a split by image allows groups on two sides") {
  const auto table = test::table_of({{"a", 0, 9}, {"b", 0, 9}, {"c", 1, 9}, {"d", 1, 9}});
  config::SplitConfig config;
  config.by = "image";
  config.by_given = true;
  const auto report = audit(table, test::seeded_split(table, config, 1), nullptr, {});
  REQUIRE(report.findings.size() == 1);
  CHECK(report.findings[0].name == "group_overlap");
  CHECK(report.findings[0].count == 4);
  CHECK(report.clean());
  CHECK(report.stamps == std::vector<std::string>{"LEAKY"});
  CHECK_FALSE(report.pixels);
}

TEST_CASE("the same pixels on two sides") {
  Small small;
  small.facts[2].pixel_hash = small.facts[0].pixel_hash;
  CHECK(small.error() ==
        "audit: 2 images have the same pixels as one in another part (a/0000.png (train) = "
        "b/0000.png (test)); remove the copies, or allow it: data.audit.allow = "
        "[\"identical_image\"]");
  CHECK(small.report({"identical_image"}).stamps == std::vector<std::string>{"IDENTICAL_IMAGE"});
  small.split.parts[2] = Part::unused;
  CHECK(small.report().clean());
  small.split.parts[2] = Part::test;
  small.facts[2].problem = "truncated";
  CHECK(small.report().clean());
}

TEST_CASE("the same pixels on one side are worth a note") {
  Small small;
  small.facts[1].pixel_hash = small.facts[0].pixel_hash;
  const auto report = small.report();
  CHECK(report.clean());
  CHECK(report.notes == std::vector<std::string>{"1 image is a copy of another in the same part"});
}

TEST_CASE("nearly the same picture on two sides") {
  Small small;
  small.facts[3].perceptual_hash = small.facts[1].perceptual_hash ^ 0b1111;
  CHECK(small.error() ==
        "audit: 2 images look like one in another part (perceptual hashes within 4 of 64 bits) "
        "(a/0001.png (train) ~ b/0001.png (test), 4 bits); look at them, and keep one of each, or "
        "allow it: data.audit.allow = [\"near_duplicate\"]");
  small.facts[3].perceptual_hash ^= 0b110000;
  CHECK(small.report().clean());
  SECTION("the same hash, other pixels") {
    small.facts[3].perceptual_hash = small.facts[1].perceptual_hash;
    CHECK(small.report().findings.at(0).count == 2);
  }
  SECTION("one-colour pictures are all alike") {
    small.facts[3].perceptual_hash = small.facts[1].perceptual_hash = 0;
    CHECK(small.report().clean());
  }
  SECTION("in the same part") {
    small.facts[3] = {10, 10, 103, 12345, "", "", ""};
    small.facts[1].perceptual_hash = small.facts[0].perceptual_hash ^ 1;
    CHECK(small.report().clean());
  }
}

TEST_CASE("near duplicates agree with comparing all pairs") {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    const Stream stream(seed, "test");
    auto table = test::table_of({{"a", 0, 20}, {"b", 1, 20}, {"c", 0, 20}, {"d", 1, 20}});
    config::SplitConfig config;
    config.by = "image";
    config.by_given = true;
    const auto split = test::seeded_split(table, config, seed);
    std::vector<ImageFacts> facts;
    for (std::uint64_t i = 0; i < table.samples.size(); ++i) {
      // Few values of few bits, so that everything happens: equal hashes, equal pixels, 0.
      const auto hash = stream.below(3 * i, 6) * 0x0101010101010101ull ^ stream.below(3 * i + 1, 4)
                                                                             << 40;
      facts.push_back({8, 8, 2 * hash + stream.below(3 * i + 2, 2), hash, "", "", ""});
    }
    std::int64_t expected = 0;
    for (std::size_t i = 0; i < facts.size(); ++i) {
      const auto near = [&](std::size_t j) {
        return split.parts[i] != split.parts[j] && facts[i].pixel_hash != facts[j].pixel_hash &&
               facts[i].perceptual_hash != 0 && facts[j].perceptual_hash != 0 &&
               __builtin_popcountll(facts[i].perceptual_hash ^ facts[j].perceptual_hash) <= 4;
      };
      bool found = false;
      for (std::size_t j = 0; j < facts.size(); ++j) found = found || near(j);
      expected += found;
    }
    std::int64_t got = 0;
    for (const auto& finding : audit(table, split, &facts, {}).findings) {
      if (finding.name == "near_duplicate") got = finding.count;
    }
    INFO("seed " << seed);
    CHECK(got == expected);
  }
}

TEST_CASE("the same pixels under two labels") {
  Small small;
  small.facts[4].pixel_hash = small.facts[0].pixel_hash;
  CHECK(small.error() ==
        "audit: 2 images are identical to one of another class (a/0000.png (class0) = c/0000.png "
        "(class1)); correct the labels, or allow it: data.audit.allow = [\"conflicting_label\"]");
}

TEST_CASE("a part without a class, and a class of one group") {
  const auto table = test::table_of({{"a", 0, 4}, {"b", 1, 4}, {"c", 1, 4}, {"d", 1, 4}});
  config::SplitConfig config;
  config.validation = 0;
  config.test = 0.3;
  const auto text = test::error_of(
      [&] { require_clean(audit(table, test::seeded_split(table, config, 1), nullptr, {})); });
  CHECK(text ==
        "audit: a part lacks a class (no \"class0\" in test); use fewer folds, larger shares or "
        "another seed, or allow it: data.audit.allow = [\"missing_class\"]\n"
        "audit: a class comes from one \"case\" only: class and group cannot be told apart "
        "(\"class0\" is all a); add groups, or allow it: data.audit.allow = [\"one_group_class\"]");
}

TEST_CASE("leaving one group out, the test part may lack a class") {
  const auto table = test::table_of(
      {{"a", 0, 4}, {"b", 1, 4}, {"c", 1, 4}, {"d", 0, 4}, {"e", 0, 2}, {"f", 1, 2}});
  config::SplitConfig config;
  config.method = "leave_one_group_out";
  CHECK(audit(table, test::seeded_split(table, config, 1), nullptr, {}).clean());
}

TEST_CASE("BreakHis's slide under two types is found by name alone") {
  SampleTable table;
  table.classes = {"benign", "malignant"};
  table.attribute_names = {"case", "slide", "patient", "type"};
  for (const auto& name : test::breakhis_folders()) {
    table.samples.push_back(
        test::sample(name.relative_path(), name.malignant ? 1 : 0,
                     {name.case_id(), name.slide(), name.patient(), name.type}));
  }
  config::SplitConfig config;
  const auto report = audit(table, test::seeded_split(table, config, 1), nullptr, {}, "case");
  CHECK(report.clean());
  CHECK(report.notes == std::vector<std::string>{"slide 14-13412 is filed under DC and LC"});
  // By folder, the slide and the cases of several folders can be torn apart.
  config.by = "patient";
  auto split = test::seeded_split(table, config, 1);
  for (std::size_t i = 0; i < table.samples.size(); ++i) {
    split.parts[i] = table.samples[i].attributes[3] == "LC" ? Part::test : Part::train;
  }
  const auto leaky = audit(table, split, nullptr, {"missing_class"}, "case");
  REQUIRE(leaky.findings.size() == 2);
  CHECK(leaky.findings[0].key == "case");
  CHECK(leaky.findings[1].key == "slide");
  CHECK(leaky.findings[1].examples == std::vector<std::string>{"14-13412: 1 train, 1 test"});
}

TEST_CASE("only findings that exist can be allowed") {
  CHECK(test::error_of([] { Small().report({"near_duplicates"}); }) ==
        "data.audit.allow: no audit finding \"near_duplicates\"; did you mean \"near_duplicate\"?");
  CHECK(test::error_of([] { Small().report({"x"}); }) ==
        "data.audit.allow: no audit finding \"x\"; there are group_overlap, identical_image, "
        "near_duplicate, conflicting_label, missing_class, one_group_class");
}
