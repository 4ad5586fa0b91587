// `bcx report`: everything about one or several runs as one HTML file, or as a model card.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "eval/bootstrap.h"
#include "tracker/reader.h"

namespace bcx::report {

struct ReportOptions {
  std::string part;            ///< test or validation; empty: test, or else validation
  bool pictures = true;        ///< galleries with thumbnails
  std::filesystem::path data;  ///< where the images are; empty: where they were
  eval::BootstrapOptions bootstrap;
  /// plotly.js as text; none: charts are left out, their tables shown, and the page says so.
  std::optional<std::string> plotly;
};

/// The text of plotly.min.js as it was built in (`<prefix>/share/bcx`); none when the build had
/// none.
std::optional<std::string> plotly_script();

/// One HTML page that asks for nothing from the network: styles, scripts and pictures are in it.
/// All texts from the tracker are escaped. `runs` is not empty. Throws bcx::Error (data) when
/// stored predictions do not fit their data set.
std::string html_report(const tracker::Reader& reader, const std::vector<tracker::RunShown>& runs,
                        const ReportOptions& options);

/// A model card (Mitchell et al., FAT* 2019) of one run, as Markdown.
std::string model_card(const tracker::Reader& reader, const tracker::RunShown& run,
                       const ReportOptions& options);

}  // namespace bcx::report
