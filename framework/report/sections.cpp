// Sections about what was asked, the data, the training and the surroundings.
#include "report/sections.h"

#include <fmt/format.h>

#include <ctime>

#include "base/few.h"
#include "base/text.h"
#include "report/charts.h"
#include "report/words.h"

namespace bcx::report {
namespace {

std::string utc(std::int64_t microseconds) {
  const auto seconds = static_cast<std::time_t>(microseconds / 1'000'000);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02} UTC", parts.tm_year + 1900, parts.tm_mon + 1,
                     parts.tm_mday, parts.tm_hour, parts.tm_min);
}

std::string value_text(const tracker::ParamShown& param) {
  if (const auto* flag = std::get_if<bool>(&param.value)) return *flag ? "true" : "false";
  if (const auto* whole = std::get_if<std::int64_t>(&param.value)) return fmt::format("{}", *whole);
  if (const auto* real = std::get_if<double>(&param.value)) return shortest(*real);
  return std::get<std::string>(param.value);
}

HtmlTable parameters(const Study& study, bool chosen) {
  HtmlTable table({"parameter", "value", "from"});
  for (const auto& [key, param] : study.run.params) {
    const bool is_default = param.origin == "default" || param.origin == "plugin manifest";
    if (is_default != chosen) table.add({key, value_text(param), param.origin});
  }
  return table;
}

std::string details(const std::string& summary, const std::string& body) {
  return body.empty() ? body
                      : fmt::format("<details><summary>{}</summary>\n{}</details>\n",
                                    escaped(summary), body);
}

std::string pre(const std::string& text) {
  std::string out = "<pre>";
  for (const auto& line : split(text, '\n')) out += escaped(line) + "\n";
  return out + "</pre>\n";
}

std::string list(const std::vector<std::string>& items) {
  std::string out = "<ul>\n";
  for (const auto& one : items) out += "<li>" + escaped(one) + "</li>\n";
  return out + "</ul>\n";
}

HtmlTable parts_table(const tracker::SplitShown& split) {
  HtmlTable table(
      {"part", "#images",
       "#" + (split.dataset.patient.empty() ? std::string("patient") : split.dataset.patient) +
           "s"});
  for (const auto& [part, counts] : split.parts)
    table.add({part, grouped(counts.first), grouped(counts.second)});
  return table;
}

std::string audit_html(const Study& study) {
  std::string out = "<h3>Audit</h3>\n";
  if (study.findings.empty())
    return out + paragraph(
                     "Before training all parts were compared by group, by pixels and by "
                     "perceptual hash: nothing was found in more than one of them.");
  HtmlTable table({"finding", "what", "examples", "allowed"});
  for (const auto& one : study.findings)
    table.add({one.name, one.text, join(one.examples, "; "), one.allowed ? "yes" : "no"});
  return out + table.html();
}

}  // namespace

std::string letter_of(std::size_t number) {
  std::string letter(1, static_cast<char>('A' + number % 26));
  if (number >= 26) letter += std::to_string(number / 26 + 1);
  return letter;
}

std::string cautions_html(const Study& study, const std::string& name) {
  std::string out;
  for (const auto& one : cautions(study))
    out += paragraph((name.empty() ? "" : name + ": ") + one.text,
                     one.grave ? "caution grave" : "caution");
  return out;
}

Section asked(const Study& study, const Manner& manner) {
  const auto& run = study.run;
  auto body =
      facts_html({{"run", run.name + "  " + run.short_id},
                  {"experiment", run.experiment},
                  {"status", run.status + (run.exit_reason.empty() ? "" : ": ") + run.exit_reason},
                  {"command", run.command},
                  {"seed", fmt::format("{}", run.seed)},
                  {"started", utc(run.started)},
                  {"took", run.ended ? human_duration(1e-6 * (static_cast<double>(*run.ended) -
                                                              static_cast<double>(run.started)))
                                     : ""},
                  {"attempts", run.attempts > 1 ? fmt::format("{}", run.attempts) : ""},
                  {"tags", join(run.tags, ", ")},
                  {"notes", run.notes},
                  {"parent", run.parent}});
  body += "<h3>Parameters that somebody chose</h3>\n" + parameters(study, true).html();
  body += details("Parameters at their defaults", parameters(study, false).html());
  if (!study.config_source.empty()) body += details("Experiment file", pre(study.config_source));
  return {manner.prefix + "asked", "What was asked", std::move(body)};
}

Section data_and_split(const Study& study, const Manner& manner) {
  Section section{manner.prefix + "data", "Data and split", {}};
  if (!study.split) {
    section.body = paragraph("The run ended before its data were recorded.");
    return section;
  }
  const auto& [row, dataset, samples, parts] = *study.split;
  section.body = facts_html(
      {{"source", fmt::format("{} at {}", dataset.source, dataset.root)},
       {"images", grouped(samples)},
       {"classes", few(dataset.classes)},
       {"positive", dataset.classes.size() == 2 && dataset.positive < 2 && dataset.positive >= 0
                        ? dataset.classes[static_cast<std::size_t>(dataset.positive)]
                        : ""},
       {"a patient is", dataset.patient.empty() ? "not known" : "one " + dataset.patient},
       {"split", fmt::format("{} by {}", row.method, row.by)},
       {"fold", row.folds > 1 ? fmt::format("{} of {}", row.fold, row.folds) : ""},
       {"data set's hash", dataset.hash},
       {"split's hash", row.hash}});
  section.body += parts_table(*study.split).html() + audit_html(study);
  HtmlTable stamps({"stamp", "why"});
  for (const auto& one : study.run.stamps) stamps.add({one.name, one.detail});
  section.body += stamps.html();
  return section;
}

Section training(const tracker::Reader& reader, const Study& study, const Manner& manner) {
  Section section{manner.prefix + "training", "Training", {}};
  section.body = charts_html(training_charts(reader, study, manner.prefix), manner.drawn);
  if (study.is_folds())
    section.body = paragraph("Each fold is a run of its own, with a training of its own.");
  else if (!study.was_trained())
    section.body = paragraph("This run was not trained: it says what other runs' models say.");
  else if (section.body.empty())
    section.body = paragraph("No epoch was recorded.");
  HtmlTable problems({"level", "message"});
  for (const auto& one : reader.events(study.run.id))
    if (one.level == "warning" || one.level == "error") problems.add({one.level, one.message});
  section.body += details("Warnings and errors", problems.html());
  return section;
}

Section environment(const Study& study, const Manner& manner) {
  auto facts = study.system;
  facts.insert(facts.begin(), {{"host", study.run.host},
                               {"bcx", study.run.version},
                               {"code", study.run.git_commit},
                               {"configuration's hash", study.run.config_hash}});
  HtmlTable plugins({"component", "kind", "version", "build id"});
  for (const auto& one : study.plugins)
    plugins.add({one.name, one.kind, one.version, one.build_id});
  return {manner.prefix + "environment", "Environment",
          facts_html(facts) + details("Plugins", plugins.html())};
}

Section unmeasured(const Study& study, const Manner& manner) {
  return {manner.prefix + "unmeasured", "What was not measured", list(not_measured(study))};
}

}  // namespace bcx::report
