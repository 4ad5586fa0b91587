// bcx as a library: loads an experiment, trains it, and reads what it predicted for each test
// image.
//
//     train_from_cpp EXPERIMENT.toml [KEY=VALUE...]
//
// What `bcx run` does, in the order in which it does it. Every bcx::Error says what is wrong,
// where, and what to do.

#include <bcx/base/error.h>
#include <bcx/config/load.h>
#include <bcx/engine/engine.h>
#include <bcx/plugin/catalog.h>
#include <bcx/tracker/reader.h>

#include <algorithm>
#include <cstdio>
#include <string>

namespace {

/// What a run tells while it trains; a graphical program would draw it.
class Printer final : public bcx::train::Observer {
 public:
  void progress(const bcx::train::Progress&) override {}
  void message(bcx::train::Tone, std::string_view text) override {
    std::printf("%.*s\n", static_cast<int>(text.size()), text.data());
  }
  void epoch(std::int64_t epoch, std::int64_t epochs,
             const std::vector<std::pair<std::string, double>>& metrics) override {
    std::printf("epoch %lld of %lld:", static_cast<long long>(epoch + 1),
                static_cast<long long>(epochs));
    for (const auto& [name, value] : metrics) std::printf("  %s %.4f", name.c_str(), value);
    std::printf("\n");
  }
};

/// Trains, and gives the run's id.
std::string train(const bcx::config::LoadOptions& options,
                  const bcx::config::Experiment& experiment,
                  const bcx::plugin::PluginCatalog& catalog) {
  Printer printer;
  const bcx::engine::RunRequest request{.experiment = experiment,
                                        .catalog = catalog,
                                        .command = "train_from_cpp " + options.file.string(),
                                        .git_commit = {},
                                        .version = "train_from_cpp"};
  const auto outcome = bcx_engine()->run(request, printer);
  for (const auto& stamp : outcome.stamps) std::printf("stamped %s\n", stamp.c_str());
  return outcome.id;
}

/// The tracker keeps each evaluation's logits, one row an image.
void print_predictions(const std::filesystem::path& database, const std::string& run) {
  const bcx::tracker::Reader reader(database);
  for (const auto& evaluation : reader.evaluations(run)) {
    if (evaluation.row.part != "test" || evaluation.row.purpose != "final") continue;
    std::printf("\n%lld images of the part \"test\":\n",
                static_cast<long long>(evaluation.samples));
    long long right = 0;
    for (const auto& prediction : reader.predictions(evaluation.id)) {
      const auto& logits = prediction.logits;
      const auto predicted = std::max_element(logits.begin(), logits.end()) - logits.begin();
      right += predicted == prediction.target;
      std::printf("  %-50s target %d, predicted %d\n", prediction.name.c_str(), prediction.target,
                  static_cast<int>(predicted));
    }
    std::printf("%lld of %lld right\n", right, static_cast<long long>(evaluation.samples));
  }
}

void run(const bcx::config::LoadOptions& options) {
  bcx::plugin::Search search;
  search.experiment = bcx::config::plugin_paths(options);
  const bcx::plugin::PluginCatalog catalog(search);
  const auto experiment = bcx::config::load_experiment(options, catalog);
  print_predictions(experiment.tracker, train(options, experiment, catalog));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: train_from_cpp EXPERIMENT.toml [KEY=VALUE...]\n");
    return 2;
  }
  bcx::config::LoadOptions options;
  options.file = argv[1];
  options.sets.assign(argv + 2, argv + argc);
  options.environment = bcx::config::experiment_environment();
  try {
    run(options);
  } catch (const bcx::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return static_cast<int>(error.code());
  }
}
