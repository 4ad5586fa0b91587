#include "eval/clusters.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <map>
#include <numeric>
#include <stdexcept>

#include "eval/checks.h"

namespace bcx::eval {

Clusters Clusters::by_group(std::span<const std::string> groups, std::span<const Label> targets,
                            int classes) {
  require_same_size(targets.size(), groups.size());
  std::map<std::string_view, std::uint32_t> numbers;
  std::vector<std::uint32_t> of_sample;
  of_sample.reserve(groups.size());
  for (const auto& group : groups)
    of_sample.push_back(
        numbers.emplace(group, static_cast<std::uint32_t>(numbers.size())).first->second);
  return {std::move(of_sample), numbers.size(), targets, classes};
}

Clusters Clusters::each_alone(std::span<const Label> targets, int classes) {
  std::vector<std::uint32_t> of_sample(targets.size());
  std::iota(of_sample.begin(), of_sample.end(), 0u);
  return {std::move(of_sample), targets.size(), targets, classes};
}

Clusters::Clusters(std::vector<std::uint32_t> of_sample, std::size_t count,
                   std::span<const Label> targets, int classes)
    : of_sample_(std::move(of_sample)),
      count_(count),
      with_class_(static_cast<std::size_t>(classes)) {
  require_labels(targets, classes);
  std::vector<std::vector<Label>> holds(count);
  for (std::size_t i = 0; i < targets.size(); ++i) holds[of_sample_[i]].push_back(targets[i]);
  // What lacks the first class comes before what has it, then by the second, and so on. The order
  // decides which random numbers a stratum is drawn with.
  const auto before = [](const std::vector<Label>& a, const std::vector<Label>& b) {
    return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(), std::greater<>());
  };
  std::map<std::vector<Label>, std::vector<std::uint32_t>, decltype(before)> strata(before);
  for (std::uint32_t c = 0; c < count; ++c) {
    auto& held = holds[c];
    std::sort(held.begin(), held.end());
    held.erase(std::unique(held.begin(), held.end()), held.end());
    for (const Label k : held) ++with_class_[static_cast<std::size_t>(k)];
    strata[std::move(held)].push_back(c);
  }
  for (auto& [classes_held, members] : strata) strata_.push_back(std::move(members));
}

Clusters Clusters::part(std::size_t first, std::size_t size) const {
  Clusters some(*this);
  const auto all = std::span(of_sample_);
  if (first > all.size() || size > all.size() - first)
    throw std::out_of_range("samples beyond the last");
  const auto slice = all.subspan(first, size);
  some.of_sample_.assign(slice.begin(), slice.end());
  return some;
}

std::int64_t Clusters::with_class(int of_class) const {
  return with_class_.at(static_cast<std::size_t>(of_class));
}

std::int64_t Clusters::scarcest() const {
  return *std::min_element(with_class_.begin(), with_class_.end());
}

double Clusters::quantum() const {
  return scarcest() > 0 ? 1.0 / static_cast<double>(scarcest())
                        : std::numeric_limits<double>::infinity();
}

}  // namespace bcx::eval
