// From what a person typed to a run.
#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"
#include "tracker/reader_impl.h"

namespace bcx::tracker {
namespace {

constexpr std::size_t shortest_prefix = 4;

[[noreturn]] void fail(const Database& database, std::string what, std::string remedy) {
  throw Error(ExitCode::usage,
              {std::move(what), printable(database.path().string()), std::move(remedy)});
}

std::string newest(const Database& database) {
  auto& row = database.cached(
      "SELECT uuid FROM run WHERE trashed IS NULL ORDER BY started DESC, id DESC LIMIT 1");
  const std::string id = row.step() ? row.text(0) : std::string{};
  row.reset();
  if (id.empty()) fail(database, "there is no run in this tracker yet", "`bcx run FILE` makes one");
  return id;
}

std::string best_by(const Database& database, std::string_view word) {
  const Key key = resolve_key(known_keys(database), word);
  if (key.kind != Key::Kind::metric)
    fail(database, fmt::format("\"{}\" is no metric", printable(key.name)),
         "@best: wants one, such as @best:val.auc");
  const bool low = lower_is_better(key.name);
  auto row = database.prepare(fmt::format(
      "SELECT r.uuid FROM metric_summary s JOIN run r ON r.id=s.run WHERE r.trashed IS NULL AND "
      "s.key=(SELECT id FROM metric_key WHERE name=?) AND s.{0} IS NOT NULL "
      "ORDER BY s.{0} {1}, r.started DESC LIMIT 1",
      low ? "min" : "max", low ? "ASC" : "DESC"));
  if (!row.start(key.name))
    fail(database, fmt::format("no run has a value of {}", printable(key.name)), "");
  return row.text(0);
}

/// Runs whose id or short id begins with `text`, newest first, a handful at most.
std::vector<std::string> beginning_with(const Database& database, std::string_view text) {
  std::vector<std::string> ids;
  auto& rows = database.cached(
      "SELECT uuid FROM run WHERE trashed IS NULL AND (substr(uuid, 1, ?2)=?1 OR "
      "substr(uuid, -8, ?2)=?1) ORDER BY started DESC LIMIT 9");
  const auto wanted = lower(text);
  for (bool more = rows.start(wanted, static_cast<std::int64_t>(wanted.size())); more;
       more = rows.step())
    ids.push_back(rows.text(0));
  rows.reset();
  return ids;
}

std::vector<std::string> names(const Database& database) {
  std::vector<std::string> out;
  auto& rows = database.cached("SELECT DISTINCT name FROM run WHERE trashed IS NULL ORDER BY name");
  while (rows.step()) out.push_back(rows.text(0));
  rows.reset();
  return out;
}

std::string short_list(const std::vector<std::string>& ids) {
  std::string out;
  for (const auto& id : ids)
    out += (out.empty() ? "" : ", ") + printable(id.substr(id.size() < 8 ? 0 : id.size() - 8));
  return out;
}

}  // namespace

std::int64_t Reader::Impl::row(std::string_view id) const {
  auto& statement = database.cached("SELECT id FROM run WHERE uuid=?");
  if (!statement.start(id)) no_such_run(id);
  const auto row = statement.integer(0);
  statement.reset();
  return row;
}

void Reader::Impl::no_such_run(std::string_view id) const {
  fail(database, fmt::format("no run has the id or name \"{}\"", printable(id)),
       "`bcx runs` lists them");
}

Reader::Found Reader::find(std::string_view what) const {
  const Database& database = impl_->database;
  if (what == "@last") return {newest(database), 1};
  if (what.starts_with("@best:")) return {best_by(database, what.substr(6)), 1};
  if (what.starts_with("@"))
    fail(database, fmt::format("\"{}\" is no way to name a run", printable(what)),
         "write @last, @best:KEY, a name or the beginning of an id");

  auto& named = database.cached(
      "SELECT uuid, count(*) OVER () FROM run WHERE trashed IS NULL AND (name=?1 OR uuid=?1) "
      "ORDER BY uuid=?1 DESC, started DESC, id DESC LIMIT 1");
  if (named.start(what)) {
    Found found{named.text(0), named.integer(1)};
    named.reset();
    return found;
  }
  named.reset();

  if (what.size() >= shortest_prefix) {
    const auto ids = beginning_with(database, what);
    if (ids.size() == 1) return {ids[0], 1};
    if (ids.size() > 8)
      fail(database, fmt::format("\"{}\" begins more than 8 ids", printable(what)),
           "write more of it, or a short id as `bcx runs` shows it");
    if (ids.size() > 1)
      fail(database, fmt::format("\"{}\" begins {} ids", printable(what), ids.size()),
           "one of " + short_list(ids) + "?");
  }
  const auto near = did_you_mean(what, names(database));
  fail(database, fmt::format("no run has the id or name \"{}\"", printable(what)),
       near.empty() ? "`bcx runs` lists them" : printable(near));
}

}  // namespace bcx::tracker
