#include "engine/run_record.h"

#include <torch/version.h>

#include <array>

#include "config/load.h"
#include "train/device.h"

namespace bcx::engine {
namespace {

tracker::Param to_row(const config::Experiment::Resolved& resolved) {
  tracker::Param row{
      .key = resolved.key, .value = std::string(), .list = false, .origin = resolved.origin.text()};
  std::visit(
      [&](const auto& value) {
        using T = std::decay_t<decltype(value)>;
        if constexpr (std::is_constructible_v<tracker::ParamValue, T> &&
                      !std::is_same_v<T, std::vector<bool>>) {
          row.value = value;
        } else {
          row.value = nlohmann::json(value).dump();
          row.list = true;
        }
      },
      resolved.value);
  return row;
}

std::vector<const config::Component*> components_of(const config::Experiment& e) {
  std::vector<const config::Component*> all{&e.model.backbone, &e.optimizer};
  for (const auto* list : {&e.preprocess, &e.augmentations, &e.callbacks})
    for (const auto& component : *list) all.push_back(&component);
  return all;
}

std::vector<tracker::PluginRow> plugin_rows(const RunRequest& request) {
  std::vector<tracker::PluginRow> rows;
  for (const auto* component : components_of(request.experiment)) {
    const auto* spec = request.catalog.find(component->kind, component->name);
    const auto* file = spec ? request.catalog.plugin(spec->plugin) : nullptr;
    rows.push_back({component->name, std::string(config::name_of(component->kind)),
                    spec ? spec->version : "", file ? file->build_id : "", spec ? spec->file : ""});
  }
  return rows;
}

/// Keys of identity() and how a person calls them.
constexpr std::array<std::pair<const char*, const char*>, 6> identity_words{
    {{"config_hash", "configuration"},
     {"data_hash", "data"},
     {"split_hash", "split"},
     {"threads", "threads"},
     {"device", "device"},
     {"plugins", "plugins"}}};

}  // namespace

std::vector<std::pair<std::string, std::string>> system_rows(at::Device device, int threads) {
  std::vector<std::pair<std::string, std::string>> rows{{"libtorch", TORCH_VERSION},
                                                        {"cpu", train::device_name(at::kCPU)},
                                                        {"threads", std::to_string(threads)},
                                                        {"device", device.str()}};
  if (device.is_cuda()) rows.emplace_back("gpu", train::device_name(device));
  return rows;
}

tracker::RunDescription describe(const RunRequest& request, at::Device device, int threads) {
  const auto& e = request.experiment;
  tracker::RunDescription description{.name = request.name.empty() ? e.name : request.name,
                                      .experiment = e.name,
                                      .seed = static_cast<std::int64_t>(e.seed),
                                      .tags = e.tags,
                                      .notes = e.notes,
                                      .parent = request.parent,
                                      .trial = request.trial,
                                      .command = request.command,
                                      .git_commit = request.git_commit,
                                      .version = request.version,
                                      .config_source = e.source_text,
                                      .config_resolved = config::resolved_text(e),
                                      .config_hash = config::configuration_hash(e),
                                      .params = {},
                                      .plugins = plugin_rows(request),
                                      .system = system_rows(device, threads)};
  for (const auto& resolved : e.resolved) description.params.push_back(to_row(resolved));
  return description;
}

nlohmann::json identity(const RunRequest& request, const PreparedData& data, at::Device device,
                        int threads) {
  nlohmann::json builds = nlohmann::json::array();
  for (const auto& row : plugin_rows(request)) builds.push_back(row.name + " " + row.build_id);
  return {{"config_hash", config::configuration_hash(request.experiment)},
          {"data_hash", data.hash},
          {"split_hash", data.split.hash},
          {"threads", threads},
          {"device", c10::DeviceTypeName(device.type(), /*lower_case=*/true)},
          {"plugins", builds},
          {"preprocess", data.preprocess}};
}

std::vector<std::string> differences(const nlohmann::json& now, const nlohmann::json& manifest) {
  std::vector<std::string> found;
  for (const auto& [key, word] : identity_words)
    if (manifest.value(key, nlohmann::json()) != now.at(key)) found.emplace_back(word);
  return found;
}

}  // namespace bcx::engine
