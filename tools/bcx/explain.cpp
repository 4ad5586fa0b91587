// `bcx explain`: where a run's model looks.

#include <fmt/format.h>

#include <cctype>
#include <map>
#include <memory>

#include "base/error.h"
#include "base/signals.h"
#include "base/table.h"
#include "base/text.h"
#include "commands.h"
#include "console.h"
#include "data/pack.h"
#include "data/scan.h"
#include "eval/gallery.h"
#include "explanation_writer.h"
#include "load_engine.h"
#include "picture_list.h"
#include "run_model.h"
#include "tracker/editor.h"
#include "tracker_text.h"

namespace bcx::cli {
namespace {

/// Above this mean rank correlation a map tells little about what was learnt.
constexpr double high_correlation = 0.5;

struct ExplainOptions {
  ModelOptions model;
  std::vector<std::string> paths, lists;
  std::string out;
  std::int64_t count = 4;
  bool quiet = false;
};

/// What is to be explained: pictures, and where their pixels are.
struct Work {
  std::string folder;  ///< beneath explain/: "gallery", "images"
  std::vector<ExplainedPicture> pictures = {};
  std::vector<data::Sample> images = {};  ///< aligned
  std::vector<std::uint8_t> pixels = {};  ///< of packed data
  data::PixelView view = {};              ///< of `pixels`
  std::size_t unreadable = 0;
};

/// A part of a file's name that any tracker takes.
std::string plain(const std::string& name) {
  std::string out;
  for (const char c : name.substr(0, name.rfind('.')).substr(0, 40)) {
    const auto byte = static_cast<unsigned char>(c);
    out += byte < 128 && (std::isalnum(byte) || c == '_' || c == '-') ? c : '_';
  }
  return out;
}

Work named_pictures(const ExplainOptions& options) {
  const auto list = list_pictures(options.paths, options.lists);
  Work work{.folder = "images"};
  for (const auto& [path, problem] : list.problems) {
    fmt::print(stderr, "warning: {}: {}\n", printable(path), problem);
    ++work.unreadable;
  }
  for (const auto& picture : list.pictures)
    work.pictures.push_back(
        {fmt::format("{:04}-{}", work.pictures.size() + 1, plain(picture.path.filename().string())),
         picture.path.string(),
         {},
         {},
         {}});
  work.images = list.pictures;
  return work;
}

/// The run's predictions of its test part, else of its validation part.
std::vector<tracker::PredictionShown> final_predictions(const tracker::Reader& reader,
                                                        const tracker::RunShown& run) {
  const auto evaluations = reader.evaluations(run.id);
  for (const char* part : {"test", "validation"})
    for (auto one = evaluations.rbegin(); one != evaluations.rend(); ++one)
      if (one->row.part == part && one->row.purpose == "final") return reader.predictions(one->id);
  throw Error(ExitCode::data,
              {"has no final predictions to choose pictures from", "run " + printable(run.name),
               "name pictures: bcx explain RUN PATH"});
}

eval::Outcomes outcomes_of(const RunModel& model,
                           const std::vector<tracker::PredictionShown>& predictions) {
  eval::Outcomes outcomes;
  std::vector<float> logits;
  for (const auto& one : predictions) {
    outcomes.targets.push_back(one.target);
    logits.insert(logits.end(), one.logits.begin(), one.logits.end());
  }
  outcomes.scores = model.probabilities(logits);
  return outcomes;
}

/// Takes the pictures of the samples that `work` names from the run's data.
void find_pictures(const RunModel& model, Work& work) {
  const auto& config = model.opened.experiment.data;
  const bool packed = config.source == "packed";
  data::DecodedData pack;
  if (packed) pack = data::decode_packed(config);
  const auto table = packed ? pack.table : data::scan(config);
  std::map<std::string_view, std::size_t> places;
  for (std::size_t i = 0; i < table.samples.size(); ++i) places[table.samples[i].relative] = i;
  for (const auto& picture : work.pictures) {
    const auto found = places.find(picture.name);
    if (found == places.end())
      throw Error(ExitCode::data, {"is not among the run's data any more", printable(picture.name),
                                   "restore it, or name pictures: bcx explain RUN PATH"});
    work.images.push_back(table.samples[found->second]);
    if (!packed) continue;
    const auto& view = pack.pixels.view();
    const auto* pixels = view.image(static_cast<std::int64_t>(found->second));
    work.pixels.insert(work.pixels.end(), pixels, pixels + view.height * view.width * 3);
    work.view = {work.pixels.data(), std::ssize(work.images), view.height, view.width};
  }
}

Work gallery(const tracker::Reader& reader, const RunModel& model, std::int64_t count) {
  const auto predictions = final_predictions(reader, model.run);
  const auto outcomes = outcomes_of(model, predictions);
  Work work{.folder = "gallery"};
  std::map<std::size_t, std::size_t> placed;  // prediction → picture
  for (const auto& one : eval::galleries(outcomes, model.rule, static_cast<std::size_t>(count))) {
    int number = 0;
    for (const auto i : one.samples) {
      ++number;
      const auto [place, is_new] = placed.try_emplace(i, work.pictures.size());
      if (is_new)
        work.pictures.push_back({fmt::format("{}-{:02}", one.name, number),
                                 predictions[i].name,
                                 fmt::format("{:016x}", predictions[i].sample),
                                 model.classes.at(static_cast<std::size_t>(predictions[i].target)),
                                 {}});
      work.pictures[place->second].galleries.push_back(one.name);
    }
  }
  find_pictures(model, work);
  return work;
}

void explain_into(ExplanationWriter& writer, const RunModel& model, Work& work,
                  train::Observer& observer) {
  load_engine().explain(
      {.model = model.trained(),
       .images = work.images,
       .pixels = work.view,
       .explained_class =
           [&](std::span<const float> logits) {
             return static_cast<int>(eval::decide(model.probabilities(logits), model.rule).front());
           }},
      [&](const engine::Explained& one) {
        const auto& picture = work.pictures[one.image];
        if (one.problem.empty()) return writer.write(picture, one);
        observer.message(train::Tone::warning,
                         fmt::format("{}: {}", printable(picture.name), one.problem));
        ++work.unreadable;
      },
      observer);
  writer.finish();
}

/// The table, and whether the maps can be believed.
void report(const ExplanationWriter& writer, const std::filesystem::path& folder) {
  if (writer.count() > 0) fmt::print("{}", writer.table(terminal_width()));
  const auto mean = writer.correlation();
  if (mean) fmt::print("\nmean rank correlation with maps of random last layers: {:.2f}\n", *mean);
  fmt::print("written to {}\n", printable(folder.string()));
  if (!mean)
    fmt::print(stderr,
               "warning: whether the maps come of what was learnt could not be tested: "
               "every map is constant\n");
  else if (*mean > high_correlation)
    fmt::print(
        stderr,
        "warning: with random weights in the last layer the maps are much the same: they say "
        "little about what was learnt\n");
}

int explain(const ExplainOptions& options) {
  const SignalScope signals;
  const tracker::Reader reader(tracker_path(options.model.tracker));
  const auto model = open_run_model(reader, options.model);
  if (model.members.size() != 1)
    throw Error(ExitCode::usage, {"is made of several models", "run " + printable(model.run.name),
                                  "name the run of one fold"});
  auto work = options.paths.empty() && options.lists.empty() ? gallery(reader, model, options.count)
                                                             : named_pictures(options);
  ConsoleObserver observer(options.quiet);
  const auto write_to = [&](const std::filesystem::path& folder) {
    ExplanationWriter writer(model, folder);
    explain_into(writer, model, work, observer);
    if (!options.quiet) report(writer, folder);
    return writer.artifacts("explain/" + work.folder + "/");
  };
  if (!options.out.empty()) {
    write_to(options.out);
  } else {
    tracker::Editor(reader.path())
        .replace_artifacts(model.run.id, "explain/" + work.folder + "/",
                           [&](const std::filesystem::path& folder) {
                             return write_to(folder / "explain" / work.folder);
                           });
  }
  if (work.unreadable == 0) return static_cast<int>(ExitCode::ok);
  fmt::print(stderr, "error: {} of {} cannot be read\n", work.unreadable, work.pictures.size());
  return static_cast<int>(ExitCode::data);
}

}  // namespace

void add_explain(CLI::App& app, Action& action) {
  auto options = std::make_shared<ExplainOptions>();
  auto* command =
      app.add_subcommand("explain", "Show where a run's model looks (Grad-CAM), as pictures");
  add_model_options(*command, options->model);
  command->add_option("PATH", options->paths,
                      "Pictures, folders, or - for paths on standard input (default: the run's "
                      "errors, least certain and surest test images)");
  command->add_option("--list", options->lists, "A file with a path on each line (repeatable)")
      ->type_name("FILE")
      ->expected(1)
      ->take_all()
      ->allow_extra_args(false);
  command->add_option("--count", options->count, "Pictures of each kind (default: 4)")
      ->check(CLI::Range(1, 1000));
  command->add_option("--out", options->out, "Write here instead of the run's folder")
      ->type_name("DIR");
  command->add_flag("--quiet", options->quiet, "Warnings alone");
  command->footer("Example: bcx explain @last --count 8");
  command->callback([&action, options] { action = [options] { return explain(*options); }; });
}

}  // namespace bcx::cli
