// What a callback owes its host (bcx/sdk/callback.h).

#include "bcx/sdk/callback.h"

#include <fmt/format.h>

#include <filesystem>

#include "base/temporary_folder.h"
#include "check/checks.h"
#include "check/parameters_check.h"
#include "check/rehearsal.h"

namespace bcx::check {
namespace {

using config::ComponentSpec;
using sdk::Callback;

// What parameters that are called so ask for.
std::vector<std::string> monitored(const Values& values) {
  std::vector<std::string> names;
  for (const auto& [name, value] : values)
    if (const auto* text = std::get_if<std::string>(&value);
        text && (name == "monitor" || name == "metric"))
      names.push_back(*text);
  return names;
}

constexpr auto last = Rehearsal::all_epochs - 1;

void play_whole(Callback& callback, Rehearsal& run) {
  run.begin(callback);
  run.play(callback, 0, last);
  run.end(callback);
}

std::string parameters(const ComponentSpec& spec) {
  const auto names = monitored(variations(spec).front().values);
  return check_parameters<Callback>(spec, [&](Callback& callback) {
    const TemporaryFolder folder("check");
    Rehearsal run(folder.path(), names);
    play_whole(callback, run);
  });
}

std::string order(const ComponentSpec& spec) {
  const auto names = monitored(variations(spec).front().values);
  const TemporaryFolder folder("check");
  Rehearsal run(folder.path(), names);
  play_whole(*build<Callback>(spec), run);
  // A run may end before it trained, and may have no metric that was hoped for.
  const TemporaryFolder second("check");
  Rehearsal nothing(second.path(), {});
  const auto callback = build<Callback>(spec);
  nothing.begin(*callback);
  nothing.end(*callback);
  return fmt::format("a run of {} epochs, and one that ends at once", Rehearsal::all_epochs);
}

void compare_resumed(const ComponentSpec& spec, const Values& values, std::int64_t done) {
  const auto names = monitored(values);
  const TemporaryFolder one("check"), two("check");
  Rehearsal whole(one.path(), names), parts(two.path(), names), resumed(two.path(), names);
  const auto straight = build<Callback>(spec, values), before = build<Callback>(spec, values),
             after = build<Callback>(spec, values);
  play_whole(*straight, whole);
  parts.begin(*before);
  parts.play(*before, 0, done - 1);
  const std::string state = before->state();
  resumed.go_on_from(done, parts.asked());
  after->load_state(state);
  require(after->state() == state, "state() after load_state() is another",
          "put everything into the state that a later epoch depends on");
  resumed.begin(*after);
  resumed.play(*after, done, last);
  resumed.end(*after);
  require(resumed.asked() == whole.asked() && after->state() == straight->state(),
          fmt::format("resumed after epoch {}, it asks for something else than in one run", done),
          "put everything into the state that a later epoch depends on");
}

std::string state(const ComponentSpec& spec) {
  for (const auto& variation : variations(spec)) {
    try {
      for (std::int64_t done = 1; done <= last; ++done)
        compare_resumed(spec, variation.values, done);
    } catch (const std::invalid_argument&) {
      if (variation.what.empty()) throw;  // values that do not go together
    }
  }
  return "a run resumed after any epoch goes on as if it had never stopped";
}

std::string lifetime(const ComponentSpec& spec) {
  const auto names = monitored(variations(spec).front().values);
  const TemporaryFolder folder("check");
  auto first = build<Callback>(spec), second = build<Callback>(spec);
  Rehearsal run(folder.path(), names);
  play_whole(*first, run);
  first.reset();
  require(second->state() == build<Callback>(spec)->state(),
          "two objects have a hand in each other");
  second.reset();
  return "objects go before the process, which ends well";
}

}  // namespace

std::vector<Check> callback_checks(const ComponentSpec& spec) {
  const auto with = [&spec](std::string (*check)(const ComponentSpec&)) {
    return [&spec, check] { return check(spec); };
  };
  return {{"parameters", with(parameters)},
          {"order", with(order)},
          {"state", with(state)},
          {"lifetime", with(lifetime), Ending::normal}};
}

}  // namespace bcx::check
