// An experiment file and, behind zero bytes, texts of --set: an experiment whose resolved form
// loads again, or errors with their places.
#include "config/load.h"
#include "tests/fuzz/fuzz.h"
#include "tools/docs/source_catalog.h"

using namespace bcx;

namespace {

config::Experiment load(const std::filesystem::path& file, std::vector<std::string> sets) {
  static const docs::SourceCatalog catalog(BCX_SOURCE_DIR);
  config::LoadOptions options;
  options.file = file;
  options.sets = std::move(sets);
  options.working_directory = file.parent_path();
  return config::load_experiment(options, catalog);
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const fuzz::Folder folder;
  auto parts = split(fuzz::text_of(data, size), '\0');
  const auto file = folder.write("fuzz.toml", parts[0]);
  parts.erase(parts.begin());
  fuzz::take_or_refuse([&] {
    const auto experiment = load(file, parts);
    config::check_files(experiment);
    try {
      load(folder.write("resolved.toml", config::resolved_text(experiment)), {});
    } catch (const Error& error) {
      fuzz::require(false, fmt::format("a resolved experiment loads: {}", error.what()));
    }
  });
  return 0;
}
