// SQL functions for experiments in classification.
#pragma once

struct sqlite3;

namespace bcx::tracker {

/// Adds to a connection; rows in which an argument is NULL are left out:
///
/// auc(score, target)                aggregate: area under the ROC curve, ties half; target is 0
/// or 1.
///                                   NULL unless both occur. It is the Mann-Whitney statistic
///                                   U / (positives * negatives) (Hanley and McNeil 1982).
/// f1(predicted, target)             aggregate: 2 TP / (2 TP + FP + FN) of class 1; NULL for 0 / 0
/// balanced_accuracy(predicted, target)  aggregate: the mean over the target's classes (integers)
/// of
///                                   the share that was found
/// percentile(value, p)              aggregate: 0 <= p <= 100, linear between neighbours, as
/// numpy's
///                                   default (Hyndman and Fan 1996, number 7)
/// stddev(value)                     aggregate: divided by n - 1; NULL for fewer than two
/// spark(value [, width])            aggregate: a sparkline in the order of the rows; NULL a blank
/// sigmoid(x)                        1 / (1 + exp(-x))
/// logit(logits, k)                  value k of a blob of float32
/// probability(logits, k)            softmax over the blob, class k
/// predicted(logits)                 the class with the greatest logit, the first of several
void add_sql_functions(sqlite3* database);

}  // namespace bcx::tracker
