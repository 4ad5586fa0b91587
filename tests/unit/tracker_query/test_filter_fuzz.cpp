// Filters bent at random: an error that points somewhere, or SQL that SQLite takes. Nothing else.
#include <chrono>
#include <random>

#include "base/error.h"
#include "small_tracker.h"
#include "tracker/reader.h"

using namespace bcx::tracker;
using namespace bcx::test;

namespace {

const std::vector<std::string> corpus{
    "val.auc > 0.9 and (learning_rate < 1e-3 or optimizer.name = \"sgd\") and tag = 'paper'",
    "1_000 <= seed < 0x1F or not best(val.loss) is nan",
    "started between 2026-11-01 and \"2026-11-23 06:41\" and duration > 30m",
    "status in ('crashed', \"failed\") and `optimizer.name` not like '%\\_x%'",
    "val.loss > train.loss and name != \"größe\" or stamps is not null and id = 'ab'"};
const std::vector<std::string> pieces{
    "and",  "or",      "not ", "(",   ")",  ",",    "in",   "is null", "nan",
    "like", "between", "<",    "<=",  "!=", "\"",   "'",    "`",       "1e",
    "0x",   "_",       "inf",  "-7d", "\\", "\xff", "\xc3", "\x01",    "best("};

std::string bent(std::mt19937_64& dice) {
  const auto below = [&](std::size_t count) { return dice() % std::max<std::size_t>(1, count); };
  std::string text = corpus[below(corpus.size())];
  for (auto times = 1 + below(3); times > 0; --times) {
    const auto at = below(text.size() + 1);
    switch (below(5)) {
      case 0:
        text.erase(at, below(8));
        break;
      case 1:
        text.insert(at, pieces[below(pieces.size())]);
        break;
      case 2:
        if (at < text.size()) text[at] = static_cast<char>(below(256));
        break;
      case 3:
        text += text.substr(at, below(40));
        break;
      default:
        text = text.substr(0, at) + corpus[below(corpus.size())].substr(below(30));
    }
  }
  return text;
}

}  // namespace

TEST_CASE("no filter does more than say what is wrong with it") {
  TemporaryFolder folder;
  SmallTracker(folder / "bcx.db").add(usual_run());
  const Reader reader(folder / "bcx.db");
  const char* told = std::getenv("BCX_FUZZ_SECONDS");
  const auto end = std::chrono::steady_clock::now() +
                   std::chrono::milliseconds(told ? std::atoi(told) * 1000 : 500);
  std::mt19937_64 dice(told ? std::random_device()() : 1);
  int good = 0, bad = 0;
  while (std::chrono::steady_clock::now() < end) {
    RunQuery query;
    query.filter = bent(dice);
    INFO(query.filter);
    try {
      reader.runs(query);
      ++good;
    } catch (const bcx::Error& error) {
      REQUIRE(error.code() == bcx::ExitCode::usage);
      REQUIRE((error.parts().where.starts_with("filter, column ")));
      ++bad;
    }
  }
  WARN(good << " good and " << bad << " bad filters");
  CHECK(good > 0);
  CHECK(bad > 0);
}
