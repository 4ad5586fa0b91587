// Successive halving played through against the paper's scheduler.
#include <algorithm>
#include <map>
#include <set>

#include "base/philox.h"
#include "sweep/pruner.h"
#include "tests/catch.h"

using namespace bcx::sweep;

namespace {

/// Li, Jamieson, Rostamizadeh, Gonina, Hardt, Recht and Talwalkar 2020, algorithm 2 (ASHA): losses
/// by rung, who was promoted from it, and get_job()'s search from the highest rung down.
class Paper {
 public:
  Paper(std::size_t rungs, std::int64_t eta) : losses_(rungs), promoted_(rungs), eta_(eta) {}

  void completed(std::size_t rung, std::int64_t trial, double loss) { losses_[rung][trial] = loss; }
  void promote(std::size_t rung, std::int64_t trial) { promoted_[rung].insert(trial); }

  /// top_k(rung, |rung| / eta).
  std::set<std::int64_t> top(std::size_t rung) const {
    std::vector<std::pair<double, std::int64_t>> order;
    for (const auto& [trial, loss] : losses_[rung]) order.emplace_back(loss, trial);
    std::sort(order.begin(), order.end());
    std::set<std::int64_t> best;
    for (std::size_t i = 0; i < order.size() / static_cast<std::size_t>(eta_); ++i)
      best.insert(order[i].second);
    return best;
  }
  /// Who may go on from the highest rung that has such trials; that rung.
  std::pair<std::size_t, std::set<std::int64_t>> candidates() const {
    for (auto rung = losses_.size(); rung-- > 0;) {
      std::set<std::int64_t> open;
      for (const auto trial : top(rung))
        if (!promoted_[rung].contains(trial)) open.insert(trial);
      if (!open.empty()) return {rung, open};
    }
    return {0, {}};
  }
  double loss(std::size_t rung, std::int64_t trial) const { return losses_[rung].at(trial); }

 private:
  std::vector<std::map<std::int64_t, double>> losses_;
  std::vector<std::set<std::int64_t>> promoted_;
  std::int64_t eta_;
};

struct Job {
  std::int64_t trial, until;  // epochs
  double ends;
};

}  // namespace

TEST_CASE("asha promotes whom the paper's scheduler promotes, whoever comes when") {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const bcx::Stream stream(seed, "asha");
    std::uint64_t drawn = 0;
    const std::int64_t eta = 2 + static_cast<std::int64_t>(seed % 3), epochs = 27;
    const Pruner pruner({.name = "asha", .reduction = eta, .min_epochs = 1}, epochs);
    const auto rungs = pruner.rungs(0);
    Paper paper(rungs.size(), eta);
    std::vector<Course> all;
    std::vector<std::vector<double>> curves;  // known in advance
    std::vector<Job> jobs;
    double now = 0;
    std::int64_t promotions = 0, highest = 0;

    const auto begin = [&](std::int64_t trial, std::int64_t until) {
      auto& course = all[static_cast<std::size_t>(trial)];
      course.pruned = false;
      const double speed = 0.5 + stream.uniform(drawn++);
      jobs.push_back({trial, until, now + speed * static_cast<double>(until - course.epochs())});
    };
    const auto after = [&](std::size_t rung) {
      return rung + 1 < rungs.size() ? rungs[rung + 1] : epochs;
    };
    const auto next_job = [&] {
      const auto [rung, open] = paper.candidates();
      const auto ours = pruner.promotable(all);
      INFO("seed " << seed << ", eta " << eta);
      REQUIRE(ours.has_value() == !open.empty());
      if (ours) {
        // The paper takes any of them; here it is the best.
        REQUIRE(open.contains(*ours));
        for (const auto other : open) REQUIRE(paper.loss(rung, *ours) <= paper.loss(rung, other));
        paper.promote(rung, *ours);
        ++promotions;
        highest = std::max(highest, rungs[rung]);
        return begin(*ours, after(rung));
      }
      if (all.size() == 120) return;
      const auto trial = static_cast<std::int64_t>(all.size());
      all.push_back({trial, {}, false, false});
      std::vector<double> curve;
      const double floor = stream.uniform(drawn++);
      for (std::int64_t e = 1; e <= epochs; ++e)
        curve.push_back(floor + stream.uniform(drawn++) / static_cast<double>(e));
      curves.push_back(curve);
      begin(trial, rungs[0]);
    };

    for (int worker = 0; worker < 5; ++worker) next_job();
    while (!jobs.empty()) {
      const auto first = std::min_element(
          jobs.begin(), jobs.end(), [](const Job& a, const Job& b) { return a.ends < b.ends; });
      const auto job = *first;
      jobs.erase(first);
      now = job.ends;
      const auto index = static_cast<std::size_t>(job.trial);
      all[index].costs.assign(curves[index].begin(), curves[index].begin() + job.until);
      const auto at = std::find(rungs.begin(), rungs.end(), job.until);
      if (at == rungs.end()) {
        all[index].finished = true;
      } else {
        const auto rung = static_cast<std::size_t>(at - rungs.begin());
        paper.completed(rung, job.trial, all[index].best(job.until));
        // Whether it may go on at once is the same question, asked by the trial itself.
        REQUIRE(pruner.stops(all[index], all) == !paper.top(rung).contains(job.trial));
        all[index].pruned = true;
      }
      next_job();
    }
    CHECK(promotions > 20);
    CHECK(highest == rungs.back());
    // When all is quiet nobody waits who should go on.
    CHECK(paper.candidates().second.empty());
  }
}
