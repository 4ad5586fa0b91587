// What of the loop a checkpoint holds: saving it, going on from it, going back to it.
#include <fmt/format.h>
#include <torch/types.h>

#include <cmath>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "train/loop.h"

namespace bcx::train {

bool TrainLoop::is_saved() const {
  return saved_.epoch == cursor_.epoch && saved_.samples == cursor_.samples &&
         saved_.step == cursor_.step;
}

void TrainLoop::save(const sdk::CheckpointRequest& request) {
  parts_.tracker.flush();  // files of callbacks, which a resume takes up where the state says
  auto snapshot = take_snapshot(parts_.parameters, parts_.optimizer, parts_.step);
  snapshot.cursor = cursor_;
  if (parts_.experiment.train.not_finite == "roll_back" && trouble_.empty())
    trouble_ = not_finite_in(snapshot);
  if (!trouble_.empty()) return;
  snapshot.manifest = state();
  parts_.complete(snapshot);
  parts_.checkpoints.save(std::move(snapshot), request.tag, request.monitor, request.value);
  if (request.tag == "last") saved_ = cursor_;
}

void TrainLoop::save_requested() {
  for (const auto& [tag, request] : wanted_checkpoints_) save(request);
  wanted_checkpoints_.clear();
  if (!trouble_.empty()) return;
  for (const auto& tag : unwanted_checkpoints_) parts_.checkpoints.remove(tag);
  unwanted_checkpoints_.clear();
}

std::optional<std::filesystem::path> TrainLoop::best() const {
  if (best_tag_.empty()) return std::nullopt;
  const auto path = parts_.checkpoints.path(best_tag_);
  return std::filesystem::exists(path) ? std::optional(path) : std::nullopt;
}

/// What the end of this epoch needs beside the state: what callbacks gave and asked for so far.
nlohmann::json TrainLoop::interrupted_validation() const {
  nlohmann::json metrics = nlohmann::json::object(), wanted = nlohmann::json::array();
  for (const auto& [name, value] : metrics_) metrics[name] = shortest(value);
  for (const auto& [tag, request] : wanted_checkpoints_) {
    wanted.push_back({{"tag", tag}, {"monitor", request.monitor}, {"best", request.best}});
    if (request.value) wanted.back()["value"] = shortest(*request.value);
  }
  return {{"metrics", metrics}, {"checkpoints", wanted}, {"removed", unwanted_checkpoints_}};
}

void TrainLoop::go_on_validating(const nlohmann::json& state) {
  validating_ = true;
  metrics_.clear();
  for (const auto& [name, value] : state.at("metrics").items())
    metrics_[name] = number_of(value.get_ref<const std::string&>());
  for (const auto& request : state.at("checkpoints")) {
    sdk::CheckpointRequest wanted{
        .tag = request.at("tag"), .monitor = request.at("monitor"), .best = request.at("best")};
    if (request.contains("value"))
      wanted.value = number_of(request.at("value").get_ref<const std::string&>());
    request_checkpoint(wanted);
  }
  unwanted_checkpoints_ = state.at("removed").get<std::vector<std::string>>();
}

nlohmann::json TrainLoop::state() const {
  nlohmann::json callbacks = nlohmann::json::object();
  for (const auto& callback : parts_.callbacks)
    callbacks[callback.instance] =
        callback.site("giving its state", [&] { return callback.object->state(); });
  nlohmann::json state{{"format", checkpoint_format},
                       {"epoch", cursor_.epoch},
                       {"samples", cursor_.samples},
                       {"step", cursor_.step},
                       {"batch_size", batch_size_},
                       {"epoch_batch_size", epoch_batch_size_},
                       {"epochs", epochs()},
                       {"stop", stop_ && (cursor_.samples == 0 || validating_)},
                       {"stop_reason", stop_reason_},
                       {"learning_rate", base_rate_},
                       {"horizon", schedule_.horizon()},
                       {"frozen", frozen_},
                       {"frozen_by_callback", frozen_by_callback_},
                       {"best_tag", best_tag_},
                       {"precision", name_of(parts_.step.settings().precision)},
                       {"roll_backs", roll_backs_},
                       {"skipped_in_a_row", skipped_in_a_row_},
                       {"overflows_in_a_row", overflows_in_a_row_},
                       {"parts", parts_.step.parts()},
                       {"callbacks", callbacks}};
  if (validating_) state["validating"] = interrupted_validation();
  return state;
}

void TrainLoop::load_state(const nlohmann::json& manifest) {
  cursor_ = {manifest.at("epoch"), manifest.at("samples"), manifest.at("step")};
  saved_ = cursor_;
  batch_size_ = manifest.at("batch_size");
  epoch_batch_size_ = manifest.at("epoch_batch_size");
  // What a callback ended stays ended, unless the run was given other epochs since. A limit of time
  // is asked again: it may be a later one now.
  const auto reason = manifest.at("stop_reason").get<std::string>();
  stop_ = manifest.at("stop").get<bool>() && manifest.at("epochs") == epochs() &&
          !reason.starts_with("time_limit:");
  if (stop_) stop_reason_ = reason;
  base_rate_ = manifest.at("learning_rate");
  schedule_ =
      Schedule(parts_.experiment.schedule, parts_.experiment.learning_rate, manifest.at("horizon"));
  frozen_ = manifest.at("frozen").get<std::vector<std::string>>();
  frozen_by_callback_ = manifest.at("frozen_by_callback");
  best_tag_ = manifest.at("best_tag");
  roll_backs_ = manifest.value("roll_backs", std::int64_t{0});
  skipped_in_a_row_ = manifest.value("skipped_in_a_row", std::int64_t{0});
  overflows_in_a_row_ = manifest.value("overflows_in_a_row", std::int64_t{0});
  parts_.step.set_parts(manifest.value("parts", std::int64_t{1}));
  parts_.step.set_frozen(frozen_);
  validating_ = false;
  if (manifest.contains("validating")) go_on_validating(manifest.at("validating"));
  for (auto& callback : parts_.callbacks) {
    const auto& states = manifest.at("callbacks");
    if (!states.contains(callback.instance)) continue;
    callback.site("loading its state", [&] {
      callback.object->load_state(states.at(callback.instance).get<std::string>());
    });
  }
}

void TrainLoop::roll_back() {
  const auto& train = parts_.experiment.train;
  const auto what = std::exchange(trouble_, {});
  if (roll_backs_ >= train.not_finite_limit)
    throw Error(
        ExitCode::other,
        {fmt::format("{}, after {} roll-back{}", what, roll_backs_, roll_backs_ == 1 ? "" : "s"),
         "", "lower optimizer.learning_rate, add a warm-up, or set train.clip_norm"});
  parts_.checkpoints.wait();
  parts_.tracker.flush();
  pending_.clear();
  metrics_.clear();
  wanted_checkpoints_.clear();
  unwanted_checkpoints_.clear();
  const auto times = roll_backs_ + 1;
  stop_reason_.clear();
  load_state(parts_.restore_newest());
  // A checkpoint from before several roll-backs has none of their cuts.
  base_rate_ *= std::pow(train.roll_back_factor, static_cast<double>(times - roll_backs_));
  roll_backs_ = times;
  parts_.tracker.rewind(cursor_);
  const auto text =
      fmt::format("{}: back to step {}, base learning rate {:.4g}", what, cursor_.step, base_rate_);
  parts_.observer.message(Tone::warning, text);
  parts_.tracker.event(tracker::Level::warning, text);
  call("the run began", [&](sdk::Callback& c) { c.on_run_begin(*this); });
}

}  // namespace bcx::train
