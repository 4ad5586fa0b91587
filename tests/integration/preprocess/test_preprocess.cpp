// Preprocess components from the experiment to the pixels: what they are fitted on, what they
// change, and what keys the cache.
#include "data/pack.h"
#include "engine/prepare_data.h"
#include "engine/preprocess.h"
#include "macenko_experiment.h"

using namespace bcx;
using data::Part;
using test::MacenkoExperiment;

namespace {

class Messages final : public train::Observer {
 public:
  void progress(const train::Progress&) override {}
  void message(train::Tone, std::string_view text) override { all.emplace_back(text); }
  void epoch(std::int64_t, std::int64_t,
             const std::vector<std::pair<std::string, double>>&) override {}
  bool has(const std::string& part) const {
    return std::ranges::any_of(all, [&](const auto& text) { return text.find(part) != text.npos; });
  }
  std::vector<std::string> all;
};

std::vector<std::uint8_t> pixels_of(const engine::PreparedData& data) {
  const auto& view = data.decoded.pixels.view();
  return {view.data, view.data + view.count * view.height * view.width * 3};
}

/// macenko by itself, fitted on the images `indexes` of the table.
engine::Preprocessing alone(const config::Experiment& experiment, const data::SampleTable& table,
                            const std::vector<std::int64_t>& indexes) {
  engine::Preprocessing preprocessing(experiment.preprocess, MacenkoExperiment::catalog());
  preprocessing.prepare(indexes, [&](std::int64_t i) {
    return data::decode_square(table.samples[static_cast<std::size_t>(i)], experiment.data);
  });
  return preprocessing;
}

}  // namespace

TEST_CASE("components are fitted on training images alone and applied to every part") {
  const MacenkoExperiment place;
  const auto experiment = place.load();
  Messages messages;
  const auto data = engine::prepare_data(experiment, place.catalog(), messages);
  const auto& table = data.decoded.table;
  REQUIRE(table.samples.size() == 40);

  const auto expected = alone(experiment, table, data.part(Part::train));
  CHECK(data.preprocess == expected.states());
  CHECK(data.preprocess != alone(experiment, table, data.part(Part::test)).states());

  const auto hook = expected.hook();
  std::int64_t changed = 0, unprocessed = 0;
  for (std::size_t i = 0; i < table.samples.size(); ++i) {
    const auto before = data::decode_square(table.samples[i], experiment.data);
    auto after = before;
    CHECK(hook.apply(after) == data.decoded.facts[i].unprocessed);
    CHECK(std::equal(after.rgb.begin(), after.rgb.end(),
                     data.decoded.pixels.view().image(static_cast<std::int64_t>(i))));
    changed += after.rgb != before.rgb;
    unprocessed += !data.decoded.facts[i].unprocessed.empty();
  }
  CHECK(changed == 39);
  CHECK(unprocessed == 1);
  CHECK(messages.has("1 of 40 images stay as they were, macenko: blank, such as "));
  CHECK(messages.has(place.blank().filename().string()));
}

TEST_CASE("the state is part of the cache's key, and a checkpoint's state replaces the fit") {
  const MacenkoExperiment place;
  const auto experiment = place.load();
  Messages first, second, restored, other;
  const auto fitted = engine::prepare_data(experiment, place.catalog(), first);
  CHECK_FALSE(fitted.decoded.from_cache);
  const auto again = engine::prepare_data(experiment, place.catalog(), second);
  CHECK(again.decoded.from_cache);
  CHECK(pixels_of(again) == pixels_of(fitted));
  CHECK(second.has("1 of 40 images stay as they were, macenko: blank"));

  const auto same = engine::prepare_data(experiment, place.catalog(), restored, fitted.preprocess);
  CHECK(same.decoded.from_cache);
  const nlohmann::json state{{"macenko", "0.6 0.7 0.4 0.2 0.9 0.3 1.5 1"}};
  const auto changed = engine::prepare_data(experiment, place.catalog(), other, state);
  CHECK_FALSE(changed.decoded.from_cache);
  CHECK(changed.preprocess ==
        nlohmann::json{{"macenko",
                        "0.59999999999999998 0.69999999999999996 0.40000000000000002 "
                        "0.20000000000000001 0.90000000000000002 0.29999999999999999 "
                        "1.5 1"}});
  CHECK(pixels_of(changed) != pixels_of(fitted));
  CHECK(changed.hash == fitted.hash);  // the data are the same
}

TEST_CASE("a state that does not fit is told with the component's name") {
  const MacenkoExperiment place;
  Messages messages;
  const nlohmann::json state{{"macenko", "what"}};
  try {
    engine::prepare_data(place.load(), place.catalog(), messages, state);
    FAIL("accepted");
  } catch (const Error& error) {
    const std::string text = error.what();
    CHECK(text.starts_with("in preprocess \"macenko\" 1.0.0 ("));
    CHECK(text.find("while restoring its state: is no state of macenko") != text.npos);
  }
}

TEST_CASE("packed data are preprocessed to the same pixels") {
  const MacenkoExperiment place;
  Messages messages;
  const auto files = engine::prepare_data(place.load(), place.catalog(), messages);
  const auto plain = place.load({"preprocess.macenko.enabled=false"});
  data::DecodeOptions options;
  options.use_cache = false;
  const auto packed = (place.folder() / "demo.bcxpack").string();
  data::write_packed(packed, data::decode_all(data::scan(plain.data), plain.data, options),
                     {32, plain.data.resize, plain.data.interpolation, {}});
  const auto experiment = place.load({"data.source=packed", "data.root=" + packed});
  const auto data = engine::prepare_data(experiment, place.catalog(), messages);
  CHECK(data.preprocess == files.preprocess);
  CHECK(pixels_of(data) == pixels_of(files));
}

TEST_CASE("an unreadable image that is left out is not fitted on") {
  const MacenkoExperiment place;
  std::ofstream(place.blank()) << "no picture";
  const auto experiment = place.load({"data.unreadable=quarantine"});
  Messages messages;
  const auto data = engine::prepare_data(experiment, place.catalog(), messages);
  REQUIRE(data.decoded.table.samples.size() == 39);
  CHECK(data.preprocess == alone(experiment, data.decoded.table, data.part(Part::train)).states());
}
