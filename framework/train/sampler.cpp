#include "train/sampler.h"

#include <map>
#include <unordered_map>

#include "base/error.h"
#include "base/philox.h"

namespace bcx::train {
namespace {

std::vector<std::int64_t> shuffled(const Candidates& candidates, const Stream& stream) {
  std::vector<std::int64_t> order;
  for (const auto i : permutation(stream, static_cast<std::int64_t>(candidates.indexes.size())))
    order.push_back(candidates.indexes[static_cast<std::size_t>(i)]);
  return order;
}

/// class -> group -> samples; one group per class when groups are not asked for.
using Strata = std::vector<std::vector<std::vector<std::int64_t>>>;

Strata stratify(const Candidates& candidates, bool by_group) {
  std::map<int, std::map<std::string, std::vector<std::int64_t>>> sorted;
  for (std::size_t i = 0; i < candidates.indexes.size(); ++i)
    sorted[candidates.labels[i]][by_group ? candidates.groups[i] : ""].push_back(
        candidates.indexes[i]);
  Strata strata;
  for (auto& [label, groups] : sorted) {
    strata.emplace_back();
    for (auto& [group, samples] : groups) strata.back().push_back(std::move(samples));
  }
  return strata;
}

template <typename T>
const T& pick(const std::vector<T>& items, const Stream& stream, std::uint64_t index) {
  return items[stream.below(index, items.size())];
}

std::vector<std::int64_t> drawn(const Candidates& candidates, const Stream& stream, bool by_group) {
  const Strata strata = stratify(candidates, by_group);
  std::vector<std::int64_t> order;
  for (std::uint64_t i = 0; i < candidates.indexes.size(); ++i)
    order.push_back(pick(pick(pick(strata, stream, 3 * i), stream, 3 * i + 1), stream, 3 * i + 2));
  return order;
}

}  // namespace

std::vector<std::int64_t> epoch_order(const Candidates& candidates, std::string_view sampler,
                                      std::uint64_t seed, std::int64_t epoch) {
  const Stream stream(seed, "sampler", static_cast<std::uint64_t>(epoch));
  if (sampler == "shuffle") return shuffled(candidates, stream);
  if (sampler == "balanced") return drawn(candidates, stream, false);
  if (sampler == "group_balanced") {
    if (candidates.groups.size() != candidates.indexes.size())
      throw Error(ExitCode::usage,
                  {"group_balanced needs groups, and the split has none", "train.sampler",
                   "set data.split.by to an attribute, or use \"balanced\""});
    return drawn(candidates, stream, true);
  }
  throw Error(ExitCode::usage, {"unknown sampler \"" + std::string(sampler) + "\"", "train.sampler",
                                "one of shuffle, balanced, group_balanced"});
}

std::vector<std::int64_t> repetitions(std::span<const std::int64_t> order) {
  std::unordered_map<std::int64_t, std::int64_t> seen;
  std::vector<std::int64_t> times;
  for (const auto index : order) times.push_back(seen[index]++);
  return times;
}

std::vector<std::span<const std::int64_t>> batches(std::span<const std::int64_t> order,
                                                   std::int64_t size, std::string_view last_batch) {
  std::vector<std::span<const std::int64_t>> result;
  const auto step = static_cast<std::size_t>(size);
  for (std::size_t begin = 0; begin < order.size(); begin += step)
    result.push_back(order.subspan(begin, std::min(step, order.size() - begin)));
  if (result.size() < 2 || result.back().size() == step) return result;
  const std::size_t rest = result.back().size();
  if (last_batch == "drop") {
    result.pop_back();
  } else if (rest == 1) {
    result.pop_back();
    result.back() = order.subspan(order.size() - step - 1);
  }
  return result;
}

}  // namespace bcx::train
