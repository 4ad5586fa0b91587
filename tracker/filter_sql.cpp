#include "tracker/filter_sql.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "tracker/filter_meaning.h"
#include "tracker/run_columns.h"

namespace bcx::tracker {
namespace {

using Kind = FilterNode::Kind;

const char* sign(Compare compare) {
  constexpr std::array<const char*, 6> signs{"=", "<>", "<", "<=", ">", ">="};
  return signs[static_cast<std::size_t>(compare)];
}

/// `a < b` is `b > a`.
Compare mirrored(Compare compare) {
  switch (compare) {
    case Compare::less:
      return Compare::greater;
    case Compare::less_equal:
      return Compare::greater_equal;
    case Compare::greater:
      return Compare::less;
    case Compare::greater_equal:
      return Compare::less_equal;
    default:
      return compare;
  }
}

/// Writes a filter's tree as SQL.
class Writer : FilterMeaning {
 public:
  Writer(const Filter& filter, const KnownKeys& known, const NotRunning& gone, std::int64_t now)
      : FilterMeaning(filter, known, now), known_(known), gone_(gone) {}

  SqlCondition written() {
    node(filter().root);
    return std::move(out_);
  }

 private:
  void add(std::string_view sql) { out_.sql += sql; }
  void add(const SqlCondition& piece) {
    out_.sql += piece.sql;
    out_.values.insert(out_.values.end(), piece.values.begin(), piece.values.end());
    out_.metrics.insert(piece.metrics.begin(), piece.metrics.end());
  }
  void bind(SqlCondition::Value value) {
    out_.sql += '?';
    out_.values.push_back(std::move(value));
  }
  /// A value of the filter.
  void bind(const FilterTerm& term) {
    std::visit(
        [&](const auto& value) {
          using T = std::decay_t<decltype(value)>;
          if constexpr (std::is_same_v<T, FilterText>)
            bind(SqlCondition::Value(value.text));
          else if constexpr (std::is_same_v<T, bool>)
            bind(SqlCondition::Value(std::int64_t{value}));
          else
            bind(SqlCondition::Value(value));
        },
        *term.value);
  }

  void node(const FilterNode& one) {
    switch (one.kind) {
      case Kind::all:
      case Kind::any:
        return joined(one);
      case Kind::negation:
        add("NOT ");
        return node(one.nodes[0]);
      default:
        break;
    }
    // Two-valued: what a run does not have makes a comparison false, not unknown.
    add("coalesce((");
    leaf(one);
    add("),0)");
  }

  /// A balanced tree of parentheses: SQLite's parser limits the depth, not the length.
  void joined(const FilterNode& one) {
    const auto word = one.kind == Kind::all ? " AND " : " OR ";
    const auto part = [&](auto& self, std::size_t from, std::size_t to) -> void {
      if (to - from == 1) return node(one.nodes[from]);
      const auto middle = from + (to - from) / 2;
      add("(");
      self(self, from, middle);
      add(word);
      self(self, middle, to);
      add(")");
    };
    part(part, 0, one.nodes.size());
  }

  void leaf(const FilterNode& one) {
    if (one.kind == Kind::compare) return compare(one);
    const FilterKey key = look_up(one.terms[0], false);
    if (key.column && key.column->several) return several(one, key);
    switch (one.kind) {
      case Kind::between:
        return between(one, key);
      case Kind::in:
        return in(one, key);
      case Kind::like:
        return like(one, key);
      case Kind::null:
        value(key, ValueType::any);
        return add(one.negated ? " IS NOT NULL" : " IS NULL");
      default:
        return nan(one, key);
    }
  }

  // --- keys ---

  /// The key's value, NULL where a run's is not of `type`.
  void value(const FilterKey& key, ValueType type) {
    if (key.column) return add(column_value(key.column->sql, gone_));
    if (key.key.kind == Key::Kind::metric)
      return add(metric_value(known_, key.key.name, key.key.function));
    add(fmt::format("(SELECT value FROM param p {} WHERE p.run=r.id AND p.key=",
                    known_.param_index));
    bind(key.key.name);
    if (type == ValueType::number) add(" AND p.type IN ('int','float')");
    if (type == ValueType::text) add(" AND p.type IN ('string','list')");
    if (type == ValueType::boolean) add(" AND p.type='bool'");
    add(")");
  }

  // --- comparisons ---

  void compare(const FilterNode& one) {
    const auto &left = one.terms[0], &right = one.terms[1];
    if (left.value) return compare(right, mirrored(one.compare), left);
    if (right.value) return compare(left, one.compare, right);
    compare_keys(one);
  }

  void compare(const FilterTerm& term, Compare how, const FilterTerm& literal) {
    const FilterKey key = look_up(term, false);
    const ValueType type = agreed(key, literal);
    if (key.column && key.column->several) {
      if (how != Compare::equal && how != Compare::unequal) no_order(term, key);
      if (how == Compare::unequal) add("NOT ");
      return one_of_several(key, "= ", {&literal, 1}, "");
    }
    if (type == ValueType::boolean && how != Compare::equal && how != Compare::unequal)
      fail(literal, "true and false have no order", "write = or !=");
    if (type == ValueType::time) return compare_time(key, how, span(literal));
    value(key, type);
    add(sign(how));
    bind(literal);
  }

  void compare_time(const FilterKey& key, Compare how, TimeSpan span) {
    const auto part = [&](const char* sign, std::int64_t time) {
      value(key, ValueType::time);
      add(sign);
      bind(SqlCondition::Value(time));
    };
    switch (how) {
      case Compare::equal:
        part(">=", span.from);
        add(" AND ");
        return part("<", span.to);
      case Compare::unequal:
        part("<", span.from);
        add(" OR ");
        return part(">=", span.to);
      case Compare::less:
        return part("<", span.from);
      case Compare::less_equal:
        return part("<", span.to);
      case Compare::greater:
        return part(">=", span.to);
      case Compare::greater_equal:
        return part(">=", span.from);
    }
  }

  void compare_keys(const FilterNode& one) {
    const FilterKey left = look_up(one.terms[0], true), right = look_up(one.terms[1], true);
    if (left.column && left.column->several) no_order(one.terms[0], left);
    if (right.column && right.column->several) no_order(one.terms[1], right);
    const ValueType type = left.type == ValueType::any ? right.type : left.type;
    if (type != right.type && right.type != ValueType::any)
      fail(one.terms[1],
           fmt::format("{} is {}, and {} is {}", printable(left.key.name), name_of(left.type),
                       printable(right.key.name), name_of(right.type)));
    if (type == ValueType::time && left.type != right.type)
      fail(one.terms[left.type == ValueType::any ? 0 : 1], "a parameter is no time");
    if (type != ValueType::any) return keys_as(left, one.compare, right, type);
    // Two parameters: as numbers or as texts, whichever both are.
    keys_as(left, one.compare, right, ValueType::number);
    add(" OR ");
    keys_as(left, one.compare, right, ValueType::text);
  }

  void keys_as(const FilterKey& left, Compare how, const FilterKey& right, ValueType type) {
    add("coalesce(");
    value(left, type);
    add(sign(how));
    value(right, type);
    add(",0)");
  }

  void between(const FilterNode& one, const FilterKey& key) {
    const auto &low = one.terms[1], &high = one.terms[2];
    const ValueType type = agreed(key, low);
    if (type != agreed(key, high)) fail(high, "both ends must be of one type");
    if (type == ValueType::boolean) fail(low, "true and false have no order", "write = or !=");
    if (one.negated) {
      value(key, type);
      add(" IS NOT NULL AND NOT (");
    }
    if (type == ValueType::time) {
      compare_time(key, Compare::greater_equal, span(low));
      add(" AND ");
      compare_time(key, Compare::less_equal, span(high));
    } else {
      value(key, type);
      add(" BETWEEN ");
      bind(low);
      add(" AND ");
      bind(high);
    }
    if (one.negated) add(")");
  }

  /// One list for each type that the values have: `1 in (1, "a")`.
  void in(const FilterNode& one, const FilterKey& key) {
    std::array<std::vector<FilterTerm>, 4> by_type;
    for (std::size_t i = 1; i < one.terms.size(); ++i)
      by_type[static_cast<std::size_t>(agreed(key, one.terms[i]))].push_back(one.terms[i]);
    bool first = true;
    for (const ValueType type :
         {ValueType::number, ValueType::text, ValueType::time, ValueType::boolean}) {
      const auto& values = by_type[static_cast<std::size_t>(type)];
      if (values.empty()) continue;
      if (!std::exchange(first, false)) add(" OR ");
      add("coalesce(");
      if (type == ValueType::time)
        in_times(key, values, one.negated);
      else {
        value(key, type);
        add(one.negated ? " NOT IN (" : " IN (");
        list(values);
        add(")");
      }
      add(",0)");
    }
  }

  void list(std::span<const FilterTerm> values) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (i > 0) add(",");
      bind(values[i]);
    }
  }

  void in_times(const FilterKey& key, const std::vector<FilterTerm>& values, bool negated) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (i > 0) add(negated ? " AND " : " OR ");
      add("(");
      compare_time(key, negated ? Compare::unequal : Compare::equal, span(values[i]));
      add(")");
    }
  }

  void like(const FilterNode& one, const FilterKey& key) {
    const auto& pattern = one.terms[1];
    if (type_of(*pattern.value) != ValueType::text || text_of(pattern).unquoted_time)
      fail(pattern, "like wants a text");
    if (key.type != ValueType::text && key.type != ValueType::any)
      fail(one.terms[0],
           fmt::format("{} is {}: like is for texts", printable(key.key.name), name_of(key.type)));
    value(key, ValueType::text);
    add(one.negated ? " NOT LIKE " : " LIKE ");
    bind(pattern);
    add(" ESCAPE '\\'");
  }

  void nan(const FilterNode& one, const FilterKey& key) {
    if (key.column)
      fail(one.terms[0], fmt::format("{} is always one or null", printable(key.key.name)));
    if (one.negated) {
      value(key, ValueType::any);
      return add(" IS NOT NULL");
    }
    add("EXISTS (SELECT 1 FROM ");
    if (key.key.kind == Key::Kind::param) {
      add("param p WHERE p.run=r.id AND p.type='float' AND p.key=");
      bind(key.key.name);
      return add(" AND p.value IS NULL)");
    }
    add("metric_summary s JOIN metric_key k ON k.id=s.key WHERE s.run=r.id AND k.name=");
    bind(key.key.name);
    add(") AND ");
    value(key, ValueType::number);
    add(" IS NULL");
  }

  // --- tags, stamps, ids ---

  [[noreturn]] void no_order(const FilterTerm& term, const FilterKey& key) const {
    fail(term, fmt::format("a run may have several {}", key.column->word),
         "ask with =, !=, in or like");
  }

  void one_of_several(const FilterKey& key, const char* how, std::span<const FilterTerm> values,
                      const char* behind) {
    add(fmt::format("EXISTS (SELECT 1 FROM ({}) WHERE v {}", key.column->several, how));
    list(values);
    add(behind);
    add(")");
  }

  void several(const FilterNode& one, const FilterKey& key) {
    const auto values = std::span(one.terms).subspan(1);
    for (const auto& term : values)
      if (type_of(*term.value) != ValueType::text) agreed(key, term);
    if (one.kind == Kind::between || one.kind == Kind::nan) no_order(one.terms[0], key);
    if (one.negated != (one.kind == Kind::null)) add("NOT ");
    if (one.kind == Kind::null)
      add(fmt::format("EXISTS ({})", key.column->several));
    else if (one.kind == Kind::in)
      one_of_several(key, "IN (", values, ")");
    else
      one_of_several(key, "LIKE ", values, " ESCAPE '\\'");
  }

  const KnownKeys& known_;
  const NotRunning& gone_;
  SqlCondition out_;
};

}  // namespace

SqlCondition filter_sql(const Filter& filter, const KnownKeys& known, const NotRunning& gone,
                        std::int64_t now) {
  return Writer(filter, known, gone, now).written();
}

bool asks_for_life(const Filter& filter) {
  const auto any = [](auto& self, const FilterNode& node) -> bool {
    return std::any_of(node.terms.begin(), node.terms.end(),
                       [](const FilterTerm& term) {
                         return !term.value && (term.key == "status" || term.key == "ended" ||
                                                term.key == "reason");
                       }) ||
           std::any_of(node.nodes.begin(), node.nodes.end(),
                       [&](const FilterNode& one) { return self(self, one); });
  };
  return any(any, filter.root);
}

}  // namespace bcx::tracker
