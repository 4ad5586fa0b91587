// A sweep as one HTML page.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

namespace bcx::report {

/// A sweep as a page shows it. Texts are plain.
struct SweepFigures {
  static constexpr double none = std::numeric_limits<double>::quiet_NaN();

  struct Parameter {
    std::string key;
    std::string values;              ///< `1e-05 to 0.01, logarithmic`
    std::vector<std::string> ticks;  ///< labels that stand evenly from 0 to 1, both ends included
  };
  struct Setting {
    std::string text;     ///< empty: the parameter is not used here
    double place = none;  ///< where it stands among the ticks, [0, 1]
  };
  struct Trial {
    std::int64_t number = 0;
    std::string state;                ///< finished, pruned, ...
    std::vector<Setting> parameters;  ///< in the order of the sweep's
    double value = none;              ///< of the objective
    double seconds = none;            ///< spent on it, all attempts together
    std::int64_t epochs = 0;
    std::string run;  ///< its short id
    std::string message;
  };
  struct Importance {
    std::string key;
    double main = 0, total = 0, spread = 0;
  };
  /// Mean over seeds, the best over other parameters.
  struct HeatMap {
    std::string down, across;
    std::vector<std::string> rows, columns;
    std::vector<std::vector<double>> values;  ///< [row][column]; none: not tried
  };

  std::string name, id;
  std::string about;  ///< `tpe with asha, by highest val.auc; 16 trials: 12 finished, ...`
  std::string objective;
  bool maximize = true;
  std::vector<Parameter> parameters;
  std::vector<Trial> trials;  ///< of the search, in the order in which they ended
  std::vector<HeatMap> heat_maps;
  std::vector<Importance> importances;
  std::string importance_note;  ///< how sure they are, or why there are none
};

/// Trials that no other one beats in both: none is at most as long and better, or shorter and as
/// good. Those without a value or a time are left out. Indexes into `trials`, by time.
std::vector<std::size_t> pareto_front(const SweepFigures& sweep);

/// One HTML page, as html_report() writes: history, parallel coordinates, heat maps, importances,
/// the objective against time, and every trial; each chart's numbers stand in a table, too.
std::string sweep_report(const SweepFigures& sweep, const std::optional<std::string>& plotly);

}  // namespace bcx::report
