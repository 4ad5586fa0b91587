// checkpoint, early_stopping and reduce_lr_on_plateau out of their plugin files.
#include <cmath>
#include <limits>

#include "tests/declared_component.h"
#include "tests/fake_callback_context.h"

namespace {

using bcx::test::FakeCallbackContext;
using bcx::test::Values;
using Request = FakeCallbackContext::Request;
using Requests = std::vector<Request>;
using Lines = std::vector<std::string>;

const double not_a_number = std::numeric_limits<double>::quiet_NaN();

/// Small enough to act within a few epochs.
const std::map<std::string, Values> own_defaults{
    {"checkpoint", {}},
    {"early_stopping", {{"patience", std::int64_t{2}}, {"min_delta", 0.0}}},
    {"reduce_lr_on_plateau", {{"factor", 0.5}, {"patience", std::int64_t{2}}, {"min_delta", 0.0}}},
};

std::unique_ptr<bcx::sdk::Callback> make(const std::string& name, const Values& given = {}) {
  auto values = own_defaults.at(name);
  for (const auto& [key, value] : given) values.insert_or_assign(key, value);
  return bcx::test::make_callback(name, values);
}

void play(FakeCallbackContext& context, bcx::sdk::Callback& callback,
          const std::vector<double>& accuracies) {
  for (const double accuracy : accuracies) context.play(callback, {{"val.accuracy", accuracy}});
}

}  // namespace

TEST_CASE(
    "checkpoint saves the best epoch once, the earlier one of a tie, and every epoch as last") {
  FakeCallbackContext context;
  const auto callback = make("checkpoint");
  play(context, *callback, {0.5, 0.7, 0.7, not_a_number, 0.6});
  CHECK(context.checkpoints.size() == 7);
  context.checkpoints.erase(context.checkpoints.begin() + 5);  // the epoch of NaN, unlike itself
  CHECK(context.checkpoints == Requests{{"best", 0.5},
                                        {"last", 0.5},
                                        {"best", 0.7},
                                        {"last", 0.7},
                                        {"last", 0.7},
                                        {"last", 0.6}});
}

TEST_CASE("checkpoint knows smaller is better, and saves every third epoch and the final one") {
  FakeCallbackContext context;
  context.all_epochs = 7;
  const auto callback =
      make("checkpoint", {{"mode", std::string("min")}, {"every", std::int64_t{3}}});
  play(context, *callback, {0.9, 1.0, 1.0, 0.8, 1.0, 1.0, 1.0});
  CHECK(context.checkpoints ==
        Requests{{"best", 0.9}, {"last", 1.0}, {"best", 0.8}, {"last", 1.0}, {"last", 1.0}});
}

TEST_CASE("checkpoint saves by the clock, too") {
  FakeCallbackContext context;
  const auto callback = make("checkpoint", {{"minutes", 2.0}});
  const auto saved_after_step_at = [&](double seconds) {
    context.checkpoints.clear();
    context.seconds = seconds;
    callback->on_step_end(context);
    return context.checkpoints == Requests{{"last", std::nullopt}};
  };
  CHECK_FALSE(saved_after_step_at(119));
  CHECK(saved_after_step_at(121));
  CHECK_FALSE(saved_after_step_at(240));
  callback->on_epoch_end(context);
  CHECK_FALSE(saved_after_step_at(359));
  CHECK(saved_after_step_at(360));
}

TEST_CASE("checkpoint without best needs no metric") {
  FakeCallbackContext context;
  const auto callback = make("checkpoint", {{"save_best", false}});
  context.play(*callback, {});
  CHECK(context.checkpoints == Requests{{"last", std::nullopt}});
  CHECK(context.lines.empty());
}

TEST_CASE("early_stopping stops after its patience, with the reason in words") {
  FakeCallbackContext context;
  const auto callback = make("early_stopping", {{"min_delta", 0.01}});
  play(context, *callback, {0.5, 0.7, 0.705, 0.72, 0.7});
  CHECK(context.stops.empty());
  play(context, *callback, {0.725});
  CHECK(context.stops ==
        Lines{"early_stopping: val.accuracy has not improved for 2 epochs; its best is 0.72"});
}

TEST_CASE("early_stopping counts epochs without a number as no improvement") {
  FakeCallbackContext context;
  const auto callback = make("early_stopping", {{"mode", std::string("min")}});
  play(context, *callback, {not_a_number, not_a_number});
  CHECK(context.stops == Lines{"early_stopping: val.accuracy has not improved for 2 epochs"});
}

TEST_CASE("reduce_lr_on_plateau lowers the base rate, not below min_lr, and says so") {
  FakeCallbackContext context;
  const auto callback = make("reduce_lr_on_plateau", {{"min_lr", 0.03}});
  play(context, *callback, {0.5, 0.5, 0.5});
  CHECK(context.rate == 0.05);
  play(context, *callback, {0.5, 0.5});
  CHECK(context.rate == 0.03);
  play(context, *callback, {0.5, 0.5, 0.5, 0.5});
  CHECK(context.rate == 0.03);
  CHECK(context.lines == Lines{"reduce_lr_on_plateau: learning rate 0.1 -> 0.05",
                               "reduce_lr_on_plateau: learning rate 0.05 -> 0.03"});
}

TEST_CASE("a monitored metric that never appears is said once, with what there is") {
  for (const auto& [name, values] : own_defaults) {
    FakeCallbackContext context;
    const auto callback = make(name, {{"monitor", std::string("val.acuracy")}});
    for (int epoch = 0; epoch < 4; ++epoch)
      context.play(*callback, {{"train.loss", 1.0}, {"val.accuracy", 0.5}});
    CHECK(
        context.lines ==
        Lines{name + ": this epoch has no metric \"val.acuracy\"; it has train.loss val.accuracy"});
    CHECK(context.stops.empty());
    CHECK(context.rate == 0.1);
  }
}

TEST_CASE("a callback resumed from its state goes on as if it had never stopped") {
  const std::vector<double> accuracies{0.5,  0.7,  0.6,  0.65, 0.71, 0.7,
                                       0.69, 0.68, 0.72, 0.7,  0.7,  0.7};
  for (const auto& [name, values] : own_defaults)
    for (std::size_t stop = 0; stop <= accuracies.size(); ++stop) {
      INFO(name << " stopped after epoch " << stop);
      FakeCallbackContext whole, parts;
      const auto straight = make(name);
      play(whole, *straight, accuracies);
      const auto before = make(name), after = make(name);
      play(parts, *before,
           {accuracies.begin(), accuracies.begin() + static_cast<std::ptrdiff_t>(stop)});
      after->load_state(before->state());
      CHECK(after->state() == before->state());
      play(parts, *after,
           {accuracies.begin() + static_cast<std::ptrdiff_t>(stop), accuracies.end()});
      CHECK(parts.checkpoints == whole.checkpoints);
      CHECK(parts.stops == whole.stops);
      CHECK(parts.rate == whole.rate);
      CHECK(after->state() == straight->state());
    }
}

TEST_CASE("a best value of infinity survives the state") {
  FakeCallbackContext context;
  const auto before = make("checkpoint"), after = make("checkpoint");
  play(context, *before, {INFINITY});
  after->load_state(before->state());
  context.checkpoints.clear();
  play(context, *after, {0.5});
  CHECK(context.checkpoints == Requests{{"last", 0.5}});
}

TEST_CASE("checkpoint keeps the best epochs, the earlier one of a tie, and removes the others") {
  FakeCallbackContext context;
  const auto callback = make(
      "checkpoint",
      {{"top_k", std::int64_t{2}}, {"tag", std::string("best_auc")}, {"every", std::int64_t{100}}});
  play(context, *callback, {0.5, 0.7, not_a_number, 0.5, 0.6, 0.8});
  CHECK(context.checkpoints == Requests{{"best_auc", 0.5},
                                        {"best_auc-epoch-0001", 0.5},
                                        {"best_auc", 0.7},
                                        {"best_auc-epoch-0002", 0.7},
                                        {"best_auc-epoch-0005", 0.6},
                                        {"best_auc", 0.8},
                                        {"best_auc-epoch-0006", 0.8}});
  CHECK(context.removed == Lines{"best_auc-epoch-0001", "best_auc-epoch-0005"});
}

TEST_CASE("checkpoint keeps every so manieth epoch for good") {
  FakeCallbackContext context;
  const auto callback =
      make("checkpoint",
           {{"save_best", false}, {"every", std::int64_t{100}}, {"keep_every", std::int64_t{2}}});
  for (int epoch = 0; epoch < 5; ++epoch) context.play(*callback, {});
  CHECK(context.checkpoints ==
        Requests{{"epoch-0002", std::nullopt}, {"epoch-0004", std::nullopt}});
}

TEST_CASE("two callbacks of different tags ask for different checkpoints") {
  CHECK_THROWS_WITH(make("checkpoint", {{"tag", std::string("last")}}),
                    "tag = \"last\" is what the last epoch is saved as");
}
