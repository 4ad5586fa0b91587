// `bcx data inspect`, `bcx data audit` and `bcx data demo`.

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/signals.h"
#include "base/table.h"
#include "base/text.h"
#include "commands.h"
#include "data/audit.h"
#include "data/decode.h"
#include "data/demo.h"
#include "data/listing.h"
#include "data/pack.h"
#include "data/scan.h"
#include "data/split.h"
#include "data/summary.h"
#include "data_images.h"
#include "data_source.h"
#include "json_text.h"
#include "open_experiment.h"

namespace bcx::cli {
namespace {

using nlohmann::json;

struct DataOptions : ExperimentOptions {
  std::string source;  // of a folder; "" = guess
  bool json = false;
};

/// What is looked at: an experiment's data, or a folder with the defaults.
config::DataConfig open_subject(const DataOptions& options) {
  const std::filesystem::path path = options.file;
  if (options.source.empty() && path.extension() == ".toml") {
    const auto opened = open_experiment(options);
    return opened.experiment.data;
  }
  config::DataConfig config;
  config.root = std::filesystem::absolute(path);
  config.source = options.source.empty() ? guess_source(config.root) : options.source;
  return config;
}

json split_json(const data::SampleTable& table, const data::Split& split) {
  json parts = json::object();
  for (const auto part :
       {data::Part::train, data::Part::validation, data::Part::test, data::Part::unused}) {
    const auto column = static_cast<std::size_t>(part);
    json classes = json::object();
    for (std::size_t k = 0; k < table.classes.size(); ++k) {
      classes[table.classes[k]] = {{"images", split.images[k][column]},
                                   {"groups", split.groups[k][column]}};
    }
    parts[std::string(name_of(part))] = classes;
  }
  return {{"method", split.method}, {"by", split.group.empty() ? "image" : split.group},
          {"fold", split.fold},     {"folds", split.folds},
          {"stamps", split.stamps}, {"warnings", split.warnings},
          {"hash", split.hash},     {"parts", parts}};
}

json table_json(const data::SampleTable& table) {
  json attributes = json::object();
  for (std::size_t i = 0; i < table.attribute_names.size(); ++i) {
    json values = json::object();
    for (const auto& sample : table.samples) {
      auto& count = values[sample.attributes[i]];
      count = count.is_null() ? 1 : count.get<std::int64_t>() + 1;
    }
    attributes[table.attribute_names[i]] = values;
  }
  return {{"images", table.samples.size()},
          {"classes", table.classes},
          {"positive", table.classes[static_cast<std::size_t>(table.positive)]},
          {"attributes", attributes}};
}

void print_split(const data::SampleTable& table, const data::Split& split) {
  fmt::print("split: {}\n{}", data::split_line(split),
             data::split_table(table, split).text(terminal_width()));
  if (!split.group.empty())
    fmt::print("(in parentheses: groups by \"{}\")\n", printable(split.group));
  for (const auto& warning : split.warnings) fmt::print(stderr, "warning: {}\n", warning);
}

int inspect(const DataOptions& options) {
  const config::DataConfig subject = open_subject(options);
  const auto table = data::scan(subject);
  // A folder of which nothing says how to split it is worth looking at all the same.
  const bool can_split = options.source.empty() && options.file.ends_with(".toml");
  std::optional<data::Split> split;
  if (can_split || !data::group_keys(table).empty()) {
    split = data::make_split(table, subject.split, subject.patient);
  }
  if (options.json) {
    auto all = table_json(table);
    if (split) all["split"] = split_json(table, *split);
    fmt::print("{}\n", dump(all));
    return 0;
  }
  fmt::print("{} images at {} ({})\n\n", grouped(static_cast<std::int64_t>(table.samples.size())),
             printable(subject.root.string()), printable(subject.source));
  fmt::print("{}\n", data::class_table(table).text(terminal_width()));
  if (!table.attribute_names.empty()) {
    fmt::print("{}\n", data::attribute_table(table).text(terminal_width()));
  }
  if (split) print_split(table, *split);
  return 0;
}

data::DecodedData decode(const config::DataConfig& config) {
  if (config.source == "packed") return data::decode_packed(config);
  data::DecodeOptions options;
  options.warn = [](const std::string& text) { fmt::print(stderr, "warning: {}\n", text); };
  if (isatty(STDERR_FILENO)) {
    options.progress = [](const data::DecodeProgress& now) {
      fmt::print(stderr, "\rdecoding {} of {}{}", grouped(now.done), grouped(now.total),
                 now.done == now.total ? "\n" : "");
    };
  }
  return data::decode_all(data::scan(config), config, options);
}

json finding_json(const data::Finding& finding) {
  return {{"name", finding.name}, {"key", finding.key},           {"count", finding.count},
          {"text", finding.text}, {"examples", finding.examples}, {"allowed", finding.allowed}};
}

int print_audit_json(const data::SampleTable& table, const data::Split& split,
                     const data::AuditReport& report) {
  json findings = json::array();
  for (const auto& finding : report.findings) findings.push_back(finding_json(finding));
  fmt::print("{}\n", dump(json({{"images", table.samples.size()},
                                {"split", split_json(table, split)},
                                {"keys", report.keys},
                                {"findings", findings},
                                {"notes", report.notes},
                                {"stamps", report.stamps},
                                {"clean", report.clean()}})));
  return static_cast<int>(report.clean() ? ExitCode::ok : ExitCode::data);
}

void print_audit(const data::AuditReport& report) {
  fmt::print("\n");
  if (!report.findings.empty()) {
    fmt::print("{}", data::finding_table(report).text(terminal_width()));
  }
  for (const auto& note : report.notes) fmt::print("note: {}\n", note);
}

/// Of names alone: what a published split does to patients shows without an image.
int audit_listing(const DataOptions& options) {
  const auto listing = data::read_breakhis_listing(options.file);
  config::SplitConfig config;
  if (listing.says_parts) {
    config.method = "files";
    config.files = {options.file};
    config.validation = 0.0;
  }
  const auto split = data::make_split(listing.table, config, "case");
  const auto report = data::audit(listing.table, split, nullptr, {}, "case");
  if (options.json) return print_audit_json(listing.table, split, report);
  print_split(listing.table, split);
  print_audit(report);
  data::require_clean(report);
  fmt::print("{} names compared by {}; no image was read: nothing found\n",
             grouped(std::ssize(listing.table.samples)), printable(join(report.keys, ", ")));
  return 0;
}

int audit(const DataOptions& options) {
  if (options.file.ends_with(".txt")) return audit_listing(options);
  const config::DataConfig subject = open_subject(options);
  const SignalScope signals;
  const auto decoded = decode(subject);
  const auto split = data::make_split(decoded.table, subject.split, subject.patient);
  const auto report =
      data::audit(decoded.table, split, &decoded.facts, subject.allow, subject.patient);
  if (options.json) return print_audit_json(decoded.table, split, report);
  print_split(decoded.table, split);
  print_audit(report);
  data::require_clean(report);
  fmt::print("{} images compared by {} and by pixels: {}\n",
             grouped(static_cast<std::int64_t>(decoded.table.samples.size())),
             report.keys.empty() ? "no group" : printable(join(report.keys, ", ")),
             report.findings.empty() ? "nothing found" : "all findings are allowed");
  if (!report.stamps.empty()) fmt::print("stamps: {}\n", join(report.stamps, " "));
  return 0;
}

struct DemoCommand {
  std::string folder;
  data::DemoOptions options;
};

int demo(const DemoCommand& command) {
  const SignalScope signals;
  const bool terminal = isatty(STDERR_FILENO);
  data::write_demo(command.folder, command.options, [&](std::int64_t done) {
    if (terminal) fmt::print(stderr, "\rdrawing {} of {}", done, command.options.images);
  });
  if (terminal) fmt::print(stderr, "\n");
  fmt::print("{} images of {} patients in {}\n", grouped(command.options.images),
             grouped(command.options.patients), printable(command.folder));
  fmt::print("look at them: bcx data inspect {}\n", printable(command.folder));
  return 0;
}

void add_inspect(CLI::App& group, Action& action) {
  auto* command =
      group.add_subcommand("inspect", "Count classes, groups, attributes and the split");
  const auto options = std::make_shared<DataOptions>();
  add_experiment_options(*command, *options);
  command->add_option("--source", options->source,
                      "FILE is a data folder of this kind: breakhis, folders, manifest, packed "
                      "(a folder without it: guessed)");
  command->add_flag("--json", options->json, "One JSON object");
  command->footer("Example: bcx data inspect ../data/BreaKHis_v1");
  command->callback([&action, options] { action = [options] { return inspect(*options); }; });
}

void add_audit(CLI::App& group, Action& action) {
  auto* command = group.add_subcommand(
      "audit", "Decode all images and look for what leaks between the parts of the split");
  const auto options = std::make_shared<DataOptions>();
  add_experiment_options(*command, *options);
  command->add_flag("--json", options->json, "One JSON object; exit code 3 if it is not clean");
  command->footer(
      "Example: bcx data audit experiments/densenet201.toml\n"
      "FILE.txt, a list of BreakHis file names or one of its published fold files: by names "
      "alone, e.g. bcx data audit dsfl1.txt");
  command->callback([&action, options] { action = [options] { return audit(*options); }; });
}

void add_demo(CLI::App& group, Action& action) {
  auto* command = group.add_subcommand(
      "demo", "Draw synthetic H&E-like images in BreakHis's names and folders");
  const auto options = std::make_shared<DemoCommand>();
  auto& demo_options = options->options;
  command->add_option("DIR", options->folder, "A new or empty folder: data.root")->required();
  command->add_option("--patients", demo_options.patients, "Cases, half of them malignant")
      ->capture_default_str();
  command->add_option("--images", demo_options.images, "Images in all")->capture_default_str();
  command
      ->add_option("--patient-effect", demo_options.patient_effect,
                   "How much patients differ: 0 (not at all) to 3")
      ->capture_default_str();
  command->add_option("--size", demo_options.size, "Width in pixels, 64 to 700")
      ->capture_default_str();
  command->add_option("--seed", demo_options.seed, "The same seed draws the same pixels")
      ->capture_default_str();
  command->footer("Example: bcx data demo demo-data --patients 12 --images 240");
  command->callback([&action, options] { action = [options] { return demo(*options); }; });
}

}  // namespace

void add_data(CLI::App& app, Action& action) {
  auto* group =
      app.add_subcommand("data", "Look at data sets, check and pack them, draw demo data");
  group->require_subcommand(1);
  group->footer("Example: bcx data inspect experiments/densenet201.toml");
  add_inspect(*group, action);
  add_audit(*group, action);
  add_demo(*group, action);
  add_data_images(*group, action);
}

}  // namespace bcx::cli
