// `bcx report`: everything about one or several runs as one HTML file, or as a model card.

#include "report/report.h"

#include <fmt/format.h>

#include <memory>

#include "base/atomic_file.h"
#include "base/error.h"
#include "base/text.h"
#include "commands.h"
#include "tracker_text.h"

namespace bcx::cli {
namespace {

constexpr std::size_t most_runs = 12;

struct Options {
  std::string database, out, model_card, part, data;
  std::vector<std::string> runs{"@last"};
  std::int64_t bootstrap = 10'000;
  std::uint64_t seed = 1;
  bool no_pictures = false;
};

void write_card(const Options& options, const std::string& text) {
  if (options.model_card == "-") {
    fmt::print("{}", text);
    return;
  }
  write_atomically(options.model_card, text);
  fmt::print("{}\n", printable(options.model_card));
}

int work(const Options& options) {
  if (options.runs.size() > most_runs)
    throw Error(ExitCode::usage, fmt::format("report takes at most {} runs", most_runs));
  if (!options.model_card.empty() && options.runs.size() > 1)
    throw Error(ExitCode::usage, {"a model card is about one run", "--model-card", ""});
  const tracker::Reader reader(tracker_path(options.database));
  std::vector<tracker::RunShown> runs;
  for (const auto& word : options.runs) runs.push_back(open_run(reader, word));
  report::ReportOptions wanted;
  wanted.part = options.part;
  wanted.pictures = !options.no_pictures;
  wanted.data = options.data;
  wanted.bootstrap = {
      .resamples = options.bootstrap, .seed = options.seed, .level = 0.95, .threads = 0};
  if (!options.model_card.empty()) {
    write_card(options, report::model_card(reader, runs.front(), wanted));
    if (options.out.empty()) return 0;
  }
  wanted.plotly = report::plotly_script();
  const auto html = report::html_report(reader, runs, wanted);
  const auto file = options.out.empty() ? "report-" + runs.front().short_id + ".html" : options.out;
  write_atomically(file, html);
  fmt::print("{}  {}\n", printable(file), human_bytes(html.size()));
  return 0;
}

}  // namespace

void add_report(CLI::App& app, Action& action) {
  auto* command = app.add_subcommand(
      "report", "Write one HTML file about one or several runs, or a model card");
  auto options = std::make_shared<Options>();
  command
      ->add_option("runs", options->runs,
                   "Ids, names, @last (the default) or @best:KEY; of several, the "
                   "others are compared with the first")
      ->type_name("RUN");
  command->add_option("--out", options->out, "The file to write [report-ID.html]")
      ->type_name("FILE.html");
  command
      ->add_option("--model-card", options->model_card,
                   "Write a model card as Markdown instead (- for standard output)")
      ->type_name("FILE.md");
  command->add_option("--part", options->part, "test or validation [test, if there is one]")
      ->check(CLI::IsMember({"test", "validation"}));
  command->add_option("--data", options->data, "Where the images are now [where they were]")
      ->type_name("DIR")
      ->check(CLI::ExistingPath);
  command->add_flag("--no-pictures", options->no_pictures, "Galleries without the images");
  command->add_option("--bootstrap", options->bootstrap, "Resamples of the patients [10000]")
      ->type_name("N")
      ->check(CLI::Range(std::int64_t{100}, std::int64_t{1'000'000}));
  command->add_option("--seed", options->seed, "Of the resamples [1]");
  add_tracker_option(*command, options->database);
  command->footer("Example:\n  bcx report @last --out report.html");
  command->callback([options, &action] { action = [options] { return work(*options); }; });
}

}  // namespace bcx::cli
