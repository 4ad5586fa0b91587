// Which samples an epoch visits, in which order and in which batches. Plain values, no torch.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace bcx::train {

/// What a sampler may look at of each training sample; the three are aligned.
struct Candidates {
  std::vector<std::int64_t> indexes;  ///< into the data set
  std::vector<int> labels;
  std::vector<std::string> groups;  ///< the split's group of each; may be empty for "shuffle"
};

/// The order of one epoch: indexes into the data set. A pure function of its arguments.
///
///   shuffle         every sample once, in random order
///   balanced        as many draws as there are samples, with replacement: a class uniformly, then
///   one
///                   of its samples uniformly
///   group_balanced  a class uniformly, then one of its groups, then one of the group's samples
///
/// Throws bcx::Error (usage) for another name, and for group_balanced without groups.
std::vector<std::int64_t> epoch_order(const Candidates& candidates, std::string_view sampler,
                                      std::uint64_t seed, std::int64_t epoch);

/// For each place of an order, how often its sample came before: 0 for all under "shuffle".
/// Samplers that draw with replacement repeat samples, and each repetition is augmented anew.
std::vector<std::int64_t> repetitions(std::span<const std::int64_t> order);

/// Cuts an order into batches of `size`. The last one may be smaller ("keep") or is left out
/// ("drop", unless it is the only one); a last batch of a single sample joins the batch before it,
/// since batch normalisation in the head cannot take it.
std::vector<std::span<const std::int64_t>> batches(std::span<const std::int64_t> order,
                                                   std::int64_t size, std::string_view last_batch);

}  // namespace bcx::train
