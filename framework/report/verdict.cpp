#include "report/verdict.h"

#include <fmt/format.h>

#include <cmath>

#include "report/html.h"
#include "tracker/reader.h"

namespace bcx::report {

using eval::Verdict;

const char* word_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::established:
      return "established";
    case Verdict::not_established:
      return "not established";
    case Verdict::too_few:
      return "not established (too few patients)";
  }
  return "";
}

std::string in_words(const eval::FigureDifference& figure, const std::string& first,
                     const std::string& second) {
  const double difference = figure.difference.estimate;
  if (std::isnan(difference)) return figure.name + " is undefined: not established";
  if (difference == 0.0)
    return fmt::format("{} and {} have the same {}: not established", first, second, figure.name);
  const bool second_wins = (difference > 0) != tracker::lower_is_better(figure.name);
  return fmt::format("{} is better by {} in {}: {}", second_wins ? second : first,
                     number_text(std::abs(difference)), figure.name, word_of(figure.verdict));
}

}  // namespace bcx::report
