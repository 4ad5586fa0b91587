// The charts of a sweep.
#pragma once

#include "report/chart.h"
#include "report/sweep_report.h"

namespace bcx::report {

/// Each trial's value, and the best so far.
Chart sweep_history(const SweepFigures& sweep);
/// A line for each trial over all parameters, darker the better it is.
Chart parallel_coordinates(const SweepFigures& sweep);
Chart sweep_heat_map(const SweepFigures& sweep, std::size_t number);
Chart sweep_importances(const SweepFigures& sweep);
/// The objective against the time that a trial took, with the front.
Chart value_against_time(const SweepFigures& sweep);

}  // namespace bcx::report
