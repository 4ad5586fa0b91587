// A run as a model card.
#include <fmt/format.h>

#include <array>
#include <cmath>

#include "base/few.h"
#include "base/table.h"
#include "base/text.h"
#include "report/report.h"
#include "report/words.h"

namespace bcx::report {
namespace {

/// A text of a run within Markdown: nothing in it is markup.
std::string plain(std::string_view text) {
  std::string out;
  for (const char c : printable(text)) {
    if (std::string_view("\\`*_{}[]<>()#+!|&~").find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

std::string param(const Study& study, const std::string& key) {
  const auto found = study.run.params.find(key);
  if (found == study.run.params.end()) return "-";
  const auto& value = found->second.value;
  if (const auto* text = std::get_if<std::string>(&value)) return plain(*text);
  if (const auto* whole = std::get_if<std::int64_t>(&value)) return fmt::format("{}", *whole);
  if (const auto* real = std::get_if<double>(&value)) return shortest(*real);
  return std::get<bool>(value) ? "true" : "false";
}

std::string bullets(const std::vector<std::string>& items) {
  std::string out;
  for (const auto& one : items) out += "- " + plain(one) + "\n";
  return out;
}

std::string interval_text(const std::optional<eval::Interval>& interval) {
  return interval ? fmt::format("{:.3f} to {:.3f}", interval->low, interval->high) : "";
}

std::string figures_table(const Tested& tested) {
  Table table({{"figure"}, {"value", Align::right}, {"95 % BCa"}, {"95 % small sample"}});
  for (const auto& [name, value] : tested.metrics) {
    const auto* found = tested.intervals(name);
    table.add({name, fmt::format("{:.3f}", value), found ? interval_text(found->bca) : "",
               found ? interval_text(found->small_sample) : ""});
  }
  return table.markdown();
}

std::string data_text(const Study& study) {
  if (!study.split) return "The run ended before its data were recorded.\n";
  const auto& [row, dataset, samples, parts] = *study.split;
  auto out = fmt::format("{} images of the classes {}, source `{}`; split {} by {}{}.\n\n",
                         grouped(samples), plain(few(dataset.classes)), dataset.source,
                         plain(row.method), plain(row.by),
                         row.folds > 1 ? fmt::format(", fold {} of {}", row.fold, row.folds) : "");
  Table table({{"part"}, {"images", Align::right}, {"patients", Align::right}});
  for (const auto& [part, counts] : parts)
    table.add({part, grouped(counts.first), grouped(counts.second)});
  out += table.markdown();
  for (const auto& one : study.findings)
    out += fmt::format("\nFound by the audit{}: {} ({}).\n", one.allowed ? " and allowed" : "",
                       plain(one.text), plain(one.name));
  return out;
}

std::string warnings(const Study& study) {
  std::string out;
  for (const auto& one : cautions(study))
    out += one.grave ? "> **" + plain(one.text) + "**\n>\n" : "> " + plain(one.text) + "\n>\n";
  return out.empty() ? out : out + "\n";
}

}  // namespace

std::string model_card(const tracker::Reader& reader, const tracker::RunShown& run,
                       const ReportOptions& options) {
  const auto study = study_of(reader, run, options.part, options.bootstrap);
  std::string out = fmt::format("# Model card: {}\n\n{}", plain(run.name), warnings(study));
  out += fmt::format(
      "## Model\n\n- Network: {} ({} weights at the start), input {} px\n- Run: `{}`, bcx {}, code "
      "{}\n- Seed: {}\n- Optimizer: {}, learning rate {}\n- Epochs: {}, batch size {}\n- "
      "Configuration's hash: `{}`\n\n",
      param(study, "model.backbone"), param(study, "model.weights"),
      param(study, "data.image_size"), run.id, plain(run.version), plain(run.git_commit), run.seed,
      param(study, "optimizer.name"), param(study, "optimizer.learning_rate"),
      param(study, "train.epochs"), param(study, "train.batch_size"), run.config_hash);
  out +=
      "## Intended use\n\nResearch on image classification. Not for diagnosis, and for no other "
      "decision about a person.\n\n";
  out += "## Data\n\n" + data_text(study) + "\n";
  out += "## Evaluation\n\n";
  if (study.tested) {
    const auto& tested = *study.tested;
    out += fmt::format("On the {}. Decided by: {}.\n\n{}\n", plain(part_text(study)),
                       plain(decision_text(tested)), figures_table(tested));
    out += tested.uncertainty.figures.empty()
               ? std::string()
               : fmt::format("Intervals resample {}s ({} resamples, seed {}).\n\n", unit_of(tested),
                             grouped(options.bootstrap.resamples), options.bootstrap.seed);
  } else {
    out += "None: the run has no final predictions.\n\n";
  }
  out += "## What was not measured\n\n" + bullets(not_measured(study)) + "\n";
  out += "## Limits\n\n" + bullets(limits());
  return out;
}

}  // namespace bcx::report
