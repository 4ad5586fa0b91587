#include "tracker/sql_functions.h"

#include <sqlite3.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "tracker/plot.h"

namespace bcx::tracker {
namespace {

/// Values that one group may gather: a bound on memory that SQLite's own limits do not see.
constexpr std::size_t most_values = 20'000'000;

void fail(sqlite3_context* context, const char* message) {
  sqlite3_result_error(context, message, -1);
}

bool any_null(int count, sqlite3_value** values) {
  return std::any_of(values, values + count,
                     [](sqlite3_value* value) { return sqlite3_value_type(value) == SQLITE_NULL; });
}

bool is_number(sqlite3_value* value) {
  const int type = sqlite3_value_numeric_type(value);
  return type == SQLITE_INTEGER || type == SQLITE_FLOAT;
}

/// The state of an aggregate, made with its first row. SQLite frees the pointer's room, not what it
/// points to: finish() does.
template <typename State>
State* state_of(sqlite3_context* context) {
  auto** slot = static_cast<State**>(sqlite3_aggregate_context(context, sizeof(State*)));
  if (slot && !*slot) *slot = new (std::nothrow) State;
  if (!slot || !*slot) sqlite3_result_error_nomem(context);
  return slot ? *slot : nullptr;
}

/// Exceptions must not pass through SQLite.
template <typename State>
void step(sqlite3_context* context, int count, sqlite3_value** values) {
  if (!State::takes_null && any_null(count, values)) return;
  auto* state = state_of<State>(context);
  if (!state) return;
  try {
    state->add(context, count, values);
  } catch (const std::exception&) {
    sqlite3_result_error_nomem(context);
  }
}

template <typename State>
void finish(sqlite3_context* context) {
  auto** slot = static_cast<State**>(sqlite3_aggregate_context(context, 0));
  if (!slot || !*slot) return;  // no rows: NULL
  try {
    (*slot)->result(context);
  } catch (const std::exception&) {
    sqlite3_result_error_nomem(context);
  }
  delete *slot;
}

template <typename Value>
bool keep(sqlite3_context* context, std::vector<Value>& values, Value value) {
  if (values.size() < most_values) return values.push_back(value), true;
  fail(context, "more than 20,000,000 values in one group");
  return false;
}

/// 0 or 1, else an error.
bool binary(sqlite3_context* context, sqlite3_value* value, const char* message, bool& out) {
  const auto number = sqlite3_value_double(value);
  if (!is_number(value) || (number != 0 && number != 1)) return fail(context, message), false;
  out = number == 1;
  return true;
}

struct Auc {
  static constexpr bool takes_null = false;
  std::vector<std::pair<double, bool>> scores;

  void add(sqlite3_context* context, int, sqlite3_value** values) {
    bool positive = false;
    if (!binary(context, values[1], "auc(score, target): the target must be 0 or 1", positive))
      return;
    if (!is_number(values[0])) return fail(context, "auc(score, target): the score is no number");
    keep(context, scores, {sqlite3_value_double(values[0]), positive});
  }
  void result(sqlite3_context* context) {
    std::sort(scores.begin(), scores.end());
    double below = 0, positives = 0, wins = 0;
    for (std::size_t i = 0; i < scores.size();) {
      double here_positive = 0, here_negative = 0;
      const double score = scores[i].first;
      for (; i < scores.size() && scores[i].first == score; ++i)
        (scores[i].second ? here_positive : here_negative) += 1;
      wins += here_positive * (below + here_negative / 2);
      below += here_negative;
      positives += here_positive;
    }
    if (positives > 0 && below > 0) sqlite3_result_double(context, wins / (positives * below));
  }
};

struct F1 {
  static constexpr bool takes_null = false;
  double hits = 0, misses = 0;  // TP; FP + FN

  void add(sqlite3_context* context, int, sqlite3_value** values) {
    constexpr const char* message = "f1(predicted, target): both must be 0 or 1";
    bool predicted = false, target = false;
    if (!binary(context, values[0], message, predicted) ||
        !binary(context, values[1], message, target))
      return;
    hits += predicted && target;
    misses += predicted != target;
  }
  void result(sqlite3_context* context) const {
    if (hits + misses > 0) sqlite3_result_double(context, 2 * hits / (2 * hits + misses));
  }
};

struct BalancedAccuracy {
  static constexpr bool takes_null = false;
  std::map<std::int64_t, std::pair<double, double>> classes;  // found, all

  void add(sqlite3_context* context, int, sqlite3_value** values) {
    for (int i = 0; i < 2; ++i)
      if (sqlite3_value_numeric_type(values[i]) != SQLITE_INTEGER)
        return fail(context, "balanced_accuracy(predicted, target): classes are integers");
    const auto target = sqlite3_value_int64(values[1]);
    if (classes.size() >= 100'000 && !classes.contains(target))
      return fail(context, "balanced_accuracy(predicted, target): more than 100,000 classes");
    auto& [found, all] = classes[target];
    found += sqlite3_value_int64(values[0]) == target;
    all += 1;
  }
  void result(sqlite3_context* context) const {
    double sum = 0;
    for (const auto& [name, counts] : classes) sum += counts.first / counts.second;
    if (!classes.empty()) sqlite3_result_double(context, sum / static_cast<double>(classes.size()));
  }
};

struct Percentile {
  static constexpr bool takes_null = false;
  std::vector<double> values;
  double p = -1;

  void add(sqlite3_context* context, int, sqlite3_value** arguments) {
    if (!is_number(arguments[0]) || !is_number(arguments[1]))
      return fail(context, "percentile(value, p): both must be numbers");
    const double asked = sqlite3_value_double(arguments[1]);
    if (!(asked >= 0 && asked <= 100))
      return fail(context, "percentile(value, p): p must be from 0 to 100");
    if (p >= 0 && p != asked)
      return fail(context, "percentile(value, p): p must be the same in every row");
    p = asked;
    keep(context, values, sqlite3_value_double(arguments[0]));
  }
  void result(sqlite3_context* context) {
    if (values.empty()) return;
    const double place = p / 100 * static_cast<double>(values.size() - 1);
    const auto low = static_cast<std::ptrdiff_t>(place);
    std::nth_element(values.begin(), values.begin() + low, values.end());
    const double first = values[static_cast<std::size_t>(low)];
    const double share = place - static_cast<double>(low);
    if (share == 0) return sqlite3_result_double(context, first);
    const double next = *std::min_element(values.begin() + low + 1, values.end());
    // Between equal infinities there is no difference to take a share of.
    sqlite3_result_double(context, first == next ? first : first + share * (next - first));
  }
};

struct Deviation {
  static constexpr bool takes_null = false;
  double count = 0, mean = 0, squares = 0;  // Welford 1962

  void add(sqlite3_context* context, int, sqlite3_value** values) {
    if (!is_number(values[0])) return fail(context, "stddev(value): the value is no number");
    const double value = sqlite3_value_double(values[0]);
    const double before = value - mean;
    count += 1;
    mean += before / count;
    squares += before * (value - mean);
  }
  void result(sqlite3_context* context) const {
    if (count > 1) sqlite3_result_double(context, std::sqrt(squares / (count - 1)));
  }
};

struct Spark {
  static constexpr bool takes_null = true;
  std::vector<double> values;
  int width = 32;

  void add(sqlite3_context* context, int count, sqlite3_value** arguments) {
    if (count > 1) width = std::clamp(sqlite3_value_int(arguments[1]), 1, 1000);
    const bool null = sqlite3_value_type(arguments[0]) == SQLITE_NULL;
    keep(context, values, null ? std::nan("") : sqlite3_value_double(arguments[0]));
  }
  void result(sqlite3_context* context) const {
    const auto text = sparkline(values, width);
    sqlite3_result_text64(context, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
  }
};

void sigmoid(sqlite3_context* context, int count, sqlite3_value** values) {
  if (any_null(count, values)) return;
  if (!is_number(values[0])) return fail(context, "sigmoid(x): x is no number");
  sqlite3_result_double(context, 1 / (1 + std::exp(-sqlite3_value_double(values[0]))));
}

/// The float32 values of a blob; empty (and an error) when it is none.
std::vector<float> read_logits(sqlite3_context* context, sqlite3_value* value) {
  const void* data = sqlite3_value_blob(value);
  const auto bytes = static_cast<std::size_t>(sqlite3_value_bytes(value));
  if (sqlite3_value_type(value) != SQLITE_BLOB || bytes == 0 || bytes % sizeof(float) != 0)
    return fail(context, "logits must be a blob of float32 values"), std::vector<float>{};
  std::vector<float> out(bytes / sizeof(float));
  std::memcpy(out.data(), data, bytes);
  return out;
}

/// k of `logit(logits, k)`; -1 (and an error) when there is no such class.
std::ptrdiff_t class_index(sqlite3_context* context, sqlite3_value* value, std::size_t classes) {
  const auto k = sqlite3_value_int64(value);
  if (k >= 0 && k < static_cast<std::int64_t>(classes)) return k;
  return fail(context, "there is no such class: they count from 0"), -1;
}

void logit(sqlite3_context* context, int count, sqlite3_value** values) {
  if (any_null(count, values)) return;
  const auto logits = read_logits(context, values[0]);
  if (logits.empty()) return;
  const auto k = class_index(context, values[1], logits.size());
  if (k >= 0) sqlite3_result_double(context, logits[static_cast<std::size_t>(k)]);
}

void probability(sqlite3_context* context, int count, sqlite3_value** values) {
  if (any_null(count, values)) return;
  const auto logits = read_logits(context, values[0]);
  if (logits.empty()) return;
  const auto k = class_index(context, values[1], logits.size());
  if (k < 0) return;
  const double greatest = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (const float one : logits) sum += std::exp(one - greatest);
  sqlite3_result_double(context, std::exp(logits[static_cast<std::size_t>(k)] - greatest) / sum);
}

void predicted(sqlite3_context* context, int count, sqlite3_value** values) {
  if (any_null(count, values)) return;
  const auto logits = read_logits(context, values[0]);
  if (!logits.empty())
    sqlite3_result_int64(context, std::max_element(logits.begin(), logits.end()) - logits.begin());
}

constexpr int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS;

void check(int result) {
  if (result != SQLITE_OK) throw Error(ExitCode::other, "SQLite takes no more functions");
}

/// The scalar functions allocate as much as a value may be long, which SQLite's limit bounds; what
/// little can throw there is out of memory, and ends the process.
void add_scalar(sqlite3* database, const char* name, int arguments,
                void (*function)(sqlite3_context*, int, sqlite3_value**)) {
  check(sqlite3_create_function_v2(database, name, arguments, flags, nullptr, function, nullptr,
                                   nullptr, nullptr));
}

template <typename State>
void add_aggregate(sqlite3* database, const char* name, int arguments) {
  check(sqlite3_create_function_v2(database, name, arguments, flags, nullptr, nullptr, step<State>,
                                   finish<State>, nullptr));
}

}  // namespace

void add_sql_functions(sqlite3* database) {
  add_aggregate<Auc>(database, "auc", 2);
  add_aggregate<F1>(database, "f1", 2);
  add_aggregate<BalancedAccuracy>(database, "balanced_accuracy", 2);
  add_aggregate<Percentile>(database, "percentile", 2);
  add_aggregate<Deviation>(database, "stddev", 1);
  add_aggregate<Spark>(database, "spark", 1);
  add_aggregate<Spark>(database, "spark", 2);
  add_scalar(database, "sigmoid", 1, sigmoid);
  add_scalar(database, "logit", 2, logit);
  add_scalar(database, "probability", 2, probability);
  add_scalar(database, "predicted", 1, predicted);
}

}  // namespace bcx::tracker
