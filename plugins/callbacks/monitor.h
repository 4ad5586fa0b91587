// A metric that a callback watches: its value, whether it improved, and a word when it is missing.
#pragma once

#include <bcx/sdk/callback.h>
#include <bcx/sdk/params.h>

#include <optional>
#include <string>

namespace callbacks {

/// Parameters `monitor` (the metric's name) and `mode` ("max" or "min").
class Monitor {
 public:
  explicit Monitor(const bcx::sdk::Params& params)
      : name_(params.get<std::string>("monitor")),
        larger_is_better_(params.get<std::string>("mode") == "max") {}

  const std::string& name() const { return name_; }

  /// The metric's value in this epoch. When there is none, says so in the log, once: a mistyped
  /// name would otherwise do nothing, silently.
  std::optional<double> value(bcx::sdk::CallbackContext& context, const char* callback) {
    const auto& metrics = context.metrics();
    if (const auto found = metrics.find(name_); found != metrics.end()) return found->second;
    if (!warned_) {
      std::string text =
          std::string(callback) + ": this epoch has no metric \"" + name_ + "\"; it has";
      for (const auto& [name, value] : metrics) text += " " + name;
      context.log(metrics.empty() ? text + " none" : text);
      warned_ = true;
    }
    return std::nullopt;
  }

  /// Whether `value` is better than `best` by more than `min_delta`. A first value is better than
  /// none; NaN is never better.
  bool better(double value, std::optional<double> best, double min_delta = 0.0) const {
    if (value != value) return false;
    if (!best) return true;
    return larger_is_better_ ? value > *best + min_delta : value < *best - min_delta;
  }

 private:
  std::string name_;
  bool larger_is_better_;
  bool warned_ = false;
};

}  // namespace callbacks
