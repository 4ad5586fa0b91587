#include "show_json.h"

#include <nlohmann/json.hpp>

#include "tracker_text.h"

namespace bcx::cli {
namespace {

using nlohmann::ordered_json;
using tracker::Reader;

template <typename Rows, typename One>
ordered_json array_of(const Rows& rows, One one) {
  auto json = ordered_json::array();
  for (const auto& row : rows) json.push_back(one(row));
  return json;
}

template <typename T>
ordered_json or_null(const std::optional<T>& value) {
  return value ? ordered_json(*value) : ordered_json(nullptr);
}

ordered_json time_or_null(const std::optional<std::int64_t>& time) {
  return time ? ordered_json(iso_time(*time)) : ordered_json(nullptr);
}

ordered_json attempt_json(const tracker::AttemptShown& one) {
  return {{"number", one.number},
          {"started", iso_time(one.started)},
          {"ended", time_or_null(one.ended)},
          {"first_epoch", one.first.epoch},
          {"first_step", one.first.step},
          {"end_step", or_null(one.end_step)},
          {"status", one.status},
          {"exit_reason", one.exit_reason},
          {"host", one.host},
          {"pid", one.pid}};
}

ordered_json checkpoint_json(const tracker::CheckpointShown& one) {
  return {{"tag", one.row.tag},
          {"path", one.row.path},
          {"epoch", one.row.cursor.epoch},
          {"samples", one.row.cursor.samples},
          {"step", one.row.cursor.step},
          {"bytes", one.row.bytes},
          {"sha256", one.row.sha256},
          {"metric", one.row.metric},
          {"value", or_null(one.row.value)},
          {"time", iso_time(one.time)},
          {"kept", one.kept}};
}

ordered_json evaluation_json(const tracker::EvaluationShown& one) {
  auto metrics = ordered_json::object();
  for (const auto& [key, value] : one.row.metrics) metrics[key] = value;
  return {{"id", one.id},
          {"time", iso_time(one.time)},
          {"part", one.row.part},
          {"purpose", one.row.purpose},
          {"epoch", one.row.cursor.epoch},
          {"step", one.row.cursor.step},
          {"samples", one.samples},
          {"look", one.look},
          {"tta", one.row.tta},
          {"precision", one.row.precision},
          {"threshold", one.row.threshold},
          {"threshold_value", or_null(one.row.threshold_value)},
          {"temperature", or_null(one.row.temperature)},
          {"checkpoint", one.row.checkpoint},
          {"dataset", one.row.dataset},
          {"metrics", metrics}};
}

ordered_json split_json(const std::optional<tracker::SplitShown>& split) {
  if (!split) return nullptr;
  auto parts = ordered_json::object();
  for (const auto& [part, counts] : split->parts)
    parts[part] = {{"images", counts.first}, {"patients", counts.second}};
  return {{"hash", split->row.hash},
          {"method", split->row.method},
          {"by", split->row.by},
          {"fold", split->row.fold},
          {"folds", split->row.folds},
          {"parts", parts},
          {"dataset",
           {{"hash", split->dataset.hash},
            {"source", split->dataset.source},
            {"root", split->dataset.root},
            {"classes", split->dataset.classes},
            {"positive", split->dataset.positive},
            {"patient", split->dataset.patient},
            {"images", split->samples}}}};
}

}  // namespace

ordered_json show_json(const Reader& reader, const tracker::RunShown& run) {
  auto json = run_json(run);
  json["stamp_details"] = ordered_json::object();
  for (const auto& stamp : run.stamps) json["stamp_details"][stamp.name] = stamp.detail;
  json["notes"] = run.notes;
  json["command"] = run.command;
  json["git_commit"] = run.git_commit;
  json["version"] = run.version;
  json["host"] = run.host;
  json["pid"] = run.pid;
  json["folder"] = run.folder;
  json["config_hash"] = run.config_hash;
  const auto [source, resolved] = reader.config(run.id);
  json["config_source"] = source;
  json["config_resolved"] = resolved;
  json["origins"] = ordered_json::object();
  for (const auto& [key, param] : run.params) json["origins"][key] = param.origin;
  json["attempt_history"] = array_of(reader.attempts(run.id), attempt_json);
  json["split"] = split_json(reader.split(run.id));
  json["checkpoints"] = array_of(reader.checkpoints(run.id), checkpoint_json);
  json["evaluations"] = array_of(reader.evaluations(run.id), evaluation_json);
  json["plugins"] = array_of(reader.plugins(run.id), [](const tracker::PluginRow& one) {
    return ordered_json{{"name", one.name},
                        {"kind", one.kind},
                        {"version", one.version},
                        {"build_id", one.build_id},
                        {"file", one.file}};
  });
  json["artifacts"] = array_of(reader.artifacts(run.id), [](const tracker::ArtifactRow& one) {
    return ordered_json{{"name", one.name},
                        {"kind", one.kind},
                        {"path", one.path},
                        {"bytes", one.bytes},
                        {"sha256", one.sha256}};
  });
  json["system"] = ordered_json::object();
  for (const auto& [key, value] : reader.system(run.id)) json["system"][key] = value;
  return json;
}

}  // namespace bcx::cli
