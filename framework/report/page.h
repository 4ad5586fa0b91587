// The page around a report.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "report/html.h"

namespace bcx::report {

/// `2026-11-23`, UTC.
std::string today();

/// One HTML page that asks for nothing from the network. `head` is HTML before the contents, each
/// section becomes a part of the page with a heading. Without `plotly` the page says why it has
/// tables in place of charts.
std::string page_html(const std::string& title, const std::string& head,
                      const std::vector<Section>& sections,
                      const std::optional<std::string>& plotly);

}  // namespace bcx::report
