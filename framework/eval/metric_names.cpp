#include "eval/metric_names.h"

namespace bcx::eval {

const std::vector<std::string>& metric_names() {
  static const std::vector<std::string> names{"loss",
                                              "accuracy",
                                              "balanced_accuracy",
                                              "majority_baseline",
                                              "mcc",
                                              "precision",
                                              "recall",
                                              "f1",
                                              "sensitivity",
                                              "specificity",
                                              "auc",
                                              "log_loss",
                                              "ece",
                                              "average_precision",
                                              "brier",
                                              "patient.auc",
                                              "patient.accuracy",
                                              "patient.balanced_accuracy",
                                              "patient.sensitivity",
                                              "patient.specificity",
                                              "patient.majority_accuracy",
                                              "patient.score"};
  return names;
}

}  // namespace bcx::eval
