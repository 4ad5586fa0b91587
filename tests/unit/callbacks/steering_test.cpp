// Callbacks that steer a run or look at it, out of their plugin files, and what holds for every
// callback of the catalog.
#include <cmath>
#include <limits>

#include "tests/declared_component.h"
#include "tests/fake_callback_context.h"

namespace {

using bcx::config::ComponentKind;
using bcx::test::FakeCallbackContext;
using bcx::test::make_callback;
using bcx::test::Values;
using Integers = std::vector<std::int64_t>;
using Lines = std::vector<std::string>;

/// What has no default, and what lets a callback act within a few epochs.
const std::map<std::string, Values> settings{
    {"batch_size_schedule", {{"epochs", Integers{1, 3}}, {"batch_sizes", Integers{32, 64}}}},
    {"checkpoint", {{"top_k", std::int64_t{2}}, {"keep_every", std::int64_t{3}}}},
    {"early_stopping", {{"patience", std::int64_t{2}}}},
    {"gradient_statistics", {{"layers", true}}},
    {"reduce_lr_on_plateau", {{"patience", std::int64_t{2}}, {"cooldown", std::int64_t{1}}}},
    {"swa", {{"start_epoch", std::int64_t{1}}, {"learning_rate", 0.02}}},
    {"time_limit", {{"minutes", 100.0}}},
    {"unfreeze", {{"stages", Lines{"a.* b.*", "a.*", ""}}, {"patience", std::int64_t{2}}}},
};

std::unique_ptr<bcx::sdk::Callback> make(const std::string& name) {
  const auto found = settings.find(name);
  return make_callback(name, found == settings.end() ? Values{} : found->second);
}

/// Everything that a callback asked for.
struct Asked {
  std::vector<FakeCallbackContext::Request> checkpoints;
  Lines stops, removed, frozen;
  std::vector<double> shares;
  std::int64_t batch;
  double rate;
  bcx::sdk::Metrics metrics;
  bool operator==(const Asked&) const = default;
};

Asked asked(const FakeCallbackContext& c) {
  return {c.checkpoints, c.stops, c.removed, c.frozen, c.shares, c.batch, c.rate, c.known};
}

const std::vector<double> accuracies{0.5,  0.7,  0.6,  0.65, 0.71, 0.7,
                                     0.69, 0.68, 0.72, 0.7,  0.7,  0.7};

void play(FakeCallbackContext& context, bcx::sdk::Callback& callback, std::size_t from,
          std::size_t to) {
  for (std::size_t i = from; i < to; ++i) context.play(callback, {{"val.accuracy", accuracies[i]}});
}

}  // namespace

TEST_CASE("every callback of the catalog goes on from its state as if it had never stopped") {
  for (const auto& name : bcx::test::source_catalog().names(ComponentKind::callback))
    for (std::size_t stop = 0; stop <= accuracies.size(); ++stop) {
      INFO(name << " stopped after epoch " << stop);
      const bcx::test::TemporaryFolder folder;
      FakeCallbackContext whole, parts;
      whole.folder = folder / "whole";
      parts.folder = folder / "parts";
      for (auto* context : {&whole, &parts}) {
        context->seconds = 0;
        context->norms = {{"a.b.c.weight", 3.0}, {"a.b.c.bias", 4.0}, {"d.weight", 1.0}};
      }
      const auto straight = make(name), before = make(name), after = make(name);
      straight->on_run_begin(whole);
      play(whole, *straight, 0, accuracies.size());
      before->on_run_begin(parts);
      play(parts, *before, 0, stop);
      after->load_state(before->state());
      CHECK(after->state() == before->state());
      const auto shares = parts.shares.size();
      after->on_run_begin(parts);
      // ema makes its average when a run begins; of a resumed one it is there already.
      if (parts.shares.size() > shares) {
        CHECK(parts.shares.back() == 0.0);
        parts.shares.pop_back();
      }
      play(parts, *after, stop, accuracies.size());
      CHECK(asked(parts) == asked(whole));
      CHECK(after->state() == straight->state());
    }
}

TEST_CASE("ema keeps less of the average at first") {
  FakeCallbackContext context;
  const auto callback = make_callback("ema", {{"decay", 0.5}});
  callback->on_run_begin(context);
  for (int i = 0; i < 12; ++i) callback->on_step_end(context);
  REQUIRE(context.shares.size() == 13);
  CHECK(context.shares[0] == 0.0);
  CHECK(context.shares[1] == Approx(1 - 2.0 / 11));
  CHECK(context.shares[2] == Approx(1 - 3.0 / 12));
  CHECK(context.shares[12] == Approx(0.5));
  FakeCallbackContext plain;
  const auto without = make_callback("ema", {{"decay", 0.9}, {"warmup", false}});
  without->on_step_end(plain);
  CHECK(plain.shares[0] == Approx(0.1));
}

TEST_CASE("swa's shares make the plain mean of the epochs from its start on") {
  FakeCallbackContext context;
  const auto callback =
      make_callback("swa", {{"start_epoch", std::int64_t{2}}, {"every", std::int64_t{2}}});
  double mean = -1, sum = 0;
  int count = 0;
  for (int epoch = 0; epoch < 9; ++epoch) {
    const double weight = std::sin(epoch);
    context.shares.clear();
    context.play(*callback, {});
    if (!context.shares.empty()) {
      // The first call sets the average, whatever its share.
      mean = count == 0 ? weight : mean + context.shares[0] * (weight - mean);
      sum += weight;
      ++count;
      CHECK(mean == Approx(sum / count));
    }
  }
  CHECK(count == 4);
}

TEST_CASE("batch_size_schedule acts from its epochs on") {
  FakeCallbackContext context;
  const auto callback = make("batch_size_schedule");
  std::vector<std::int64_t> sizes;
  for (int epoch = 0; epoch < 5; ++epoch) {
    context.play(*callback, {});
    sizes.push_back(context.batch);
  }
  CHECK(sizes == Integers{16, 32, 32, 64, 64});
  CHECK(context.lines == Lines{"batch_size_schedule: batch size 16 -> 32",
                               "batch_size_schedule: batch size 32 -> 64"});
  CHECK_THROWS_WITH(make_callback("batch_size_schedule",
                                  {{"epochs", Integers{1}}, {"batch_sizes", Integers{1, 2}}}),
                    "epochs and batch_sizes must have the same length");
  CHECK_THROWS_WITH(make_callback("batch_size_schedule",
                                  {{"epochs", Integers{2, 2}}, {"batch_sizes", Integers{1, 2}}}),
                    "epochs must rise");
}

TEST_CASE("unfreeze enters its stages at their epochs, or when the metric stops improving") {
  FakeCallbackContext timed;
  const auto by_epoch = make_callback(
      "unfreeze", {{"stages", Lines{"a.* b.*", "a.*", ""}}, {"epochs", Integers{1, 3}}});
  by_epoch->on_run_begin(timed);
  std::vector<Lines> frozen;
  for (int epoch = 0; epoch < 4; ++epoch) {
    timed.play(*by_epoch, {});
    frozen.push_back(timed.frozen);
  }
  CHECK(frozen == std::vector<Lines>{{"a.*", "b.*"}, {"a.*"}, {"a.*"}, {}});
  CHECK(timed.lines ==
        Lines{"unfreeze: stage 2 of 3, frozen: a.*", "unfreeze: stage 3 of 3, frozen: nothing"});

  FakeCallbackContext watched;
  const auto by_metric = make("unfreeze");  // patience 2
  by_metric->on_run_begin(watched);
  frozen.clear();
  for (const double accuracy : {0.5, 0.5, 0.5, 0.6, 0.6, 0.6}) {
    watched.play(*by_metric, {{"val.accuracy", accuracy}});
    frozen.push_back(watched.frozen);
  }
  CHECK(frozen ==
        std::vector<Lines>{{"a.*", "b.*"}, {"a.*", "b.*"}, {"a.*"}, {"a.*"}, {"a.*"}, {}});
}

TEST_CASE("gradient_statistics are those of the epoch's norms") {
  FakeCallbackContext context;
  context.norms = {{"a.b.c.weight", 3.0}, {"a.b.c.bias", 4.0}, {"d.weight", 1.0}};
  const auto callback =
      make_callback("gradient_statistics", {{"layers", true}, {"depth", std::int64_t{2}}});
  for (int epoch = 0; epoch < 2; ++epoch) {
    context.play(*callback, {});  // norms from 1 to 10
    CHECK(context.known.at("grad_norm.mean") == Approx(5.5));
    CHECK(context.known.at("grad_norm.std") == Approx(std::sqrt(8.25)));
    CHECK(context.known.at("grad_norm.min") == 1.0);
    CHECK(context.known.at("grad_norm.max") == 10.0);
    CHECK(context.known.at("grad_norm.a.b") == Approx(5.0));
    CHECK(context.known.at("grad_norm.d") == 1.0);
  }
}

TEST_CASE("terminate_on_nan says which step") {
  FakeCallbackContext context;
  const auto callback = make("terminate_on_nan");
  const double nan = std::numeric_limits<double>::quiet_NaN();
  callback->on_metrics(context, 11, {{"train.step_loss", {0.5, 0.4, nan, nan}}});
  callback->on_metrics(context, 21, {{"train.step_loss", {INFINITY}}});
  CHECK(context.stops == Lines{"terminate_on_nan: the loss is nan at step 13",
                               "terminate_on_nan: the loss is infinite at step 21"});
}

TEST_CASE("time_limit counts all attempts and stops once") {
  FakeCallbackContext first, second;
  const auto before = make_callback("time_limit", {{"minutes", 2.0}});
  first.seconds = 70;
  first.play(*before, {});
  CHECK(first.stops.empty());
  const auto after = make_callback("time_limit", {{"minutes", 2.0}});
  after->load_state(before->state());
  second.seconds = 49;
  second.play(*after, {});
  CHECK(second.stops.empty());
  second.seconds = 51;
  second.play(*after, {});
  CHECK(second.stops == Lines{"time_limit: 2 min 0 s are over"});
}

TEST_CASE("progress speaks after its interval, and of what is left once an epoch is done") {
  FakeCallbackContext context;
  context.all_epochs = 3;
  const auto callback = make("progress");
  context.seconds = 59;
  context.play(*callback, {});
  CHECK(context.lines.empty());
  context.seconds = 118;
  callback->on_epoch_end(context);
  context.seconds = 130;
  context.now = 2;
  callback->on_step_end(context);
  CHECK(context.lines == Lines{"progress: epoch 3 of 3, step 10, 2 min 10 s, about 47 s left"});
}
