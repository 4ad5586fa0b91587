#include "data/audit_pictures.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <map>
#include <set>
#include <unordered_map>

#include "base/text.h"
#include "data/hash_neighbours.h"

namespace bcx::data {
namespace {

using Indexes = std::vector<std::size_t>;
constexpr std::size_t none = static_cast<std::size_t>(-1);

// Samples by a hash, in the table's order; unreadable and unused ones are left out.
template <typename Hash>
std::vector<Indexes> by_hash(const Split& split, const std::vector<ImageFacts>& facts,
                             const Hash& hash) {
  std::unordered_map<std::uint64_t, std::size_t> places;
  std::vector<Indexes> buckets;
  for (std::size_t i = 0; i < facts.size(); ++i) {
    if (!facts[i].problem.empty() || split.parts[i] == Part::unused) continue;
    const auto [at, fresh] = places.emplace(hash(facts[i]), buckets.size());
    if (fresh) buckets.emplace_back();
    buckets[at->second].push_back(i);
  }
  return buckets;
}

unsigned part_bit(Part part) {
  return 1u << static_cast<unsigned>(part);
}

void add(AuditReport& report, Finding finding, std::string text) {
  if (finding.count == 0) return;
  finding.text = std::move(text);
  report.findings.push_back(std::move(finding));
}

void add_example(Finding& finding, std::string text) {
  if (finding.examples.size() < audit_examples) finding.examples.push_back(std::move(text));
}

std::string images(std::int64_t count) {
  return count == 1 ? "1 image" : grouped(count) + " images";
}

// What one set of identical pictures says.
class IdenticalPictures {
 public:
  IdenticalPictures(const SampleTable& table, const Split& split) : table_(table), split_(split) {}

  void take(const Indexes& same) {
    if (same.size() < 2) return;
    const auto other = std::find_if(same.begin(), same.end(), [&](std::size_t i) {
      return split_.parts[i] != split_.parts[same[0]];
    });
    if (other == same.end()) {
      repeated_ += static_cast<std::int64_t>(same.size()) - 1;
    } else {
      across.count += static_cast<std::int64_t>(same.size());
      add_example(across, place(same[0]) + " = " + place(*other));
    }
    const auto unlike = std::find_if(same.begin(), same.end(), [&](std::size_t i) {
      return table_.samples[i].label != table_.samples[same[0]].label;
    });
    if (unlike == same.end()) return;
    conflicting.count += static_cast<std::int64_t>(same.size());
    add_example(conflicting, labelled(same[0]) + " = " + labelled(*unlike));
  }

  void note(AuditReport& report) const {
    if (repeated_ == 0) return;
    report.notes.push_back(
        fmt::format("{} a copy of another in the same part",
                    repeated_ == 1 ? "1 image is" : grouped(repeated_) + " images are each"));
  }

  Finding across{"identical_image", "", 0, {}, {}, false};
  Finding conflicting{"conflicting_label", "", 0, {}, {}, false};

 private:
  std::string place(std::size_t i) const {
    return fmt::format("{} ({})", table_.samples[i].relative, name_of(split_.parts[i]));
  }
  std::string labelled(std::size_t i) const {
    return fmt::format("{} ({})", table_.samples[i].relative,
                       table_.classes[static_cast<std::size_t>(table_.samples[i].label)]);
  }

  const SampleTable& table_;
  const Split& split_;
  std::int64_t repeated_ = 0;
};

// Pictures of one perceptual hash, summed up so that a thousand alike cost no million pairs.
struct Lookalikes {
  std::uint64_t hash = 0;
  std::array<std::int64_t, 3> images{};  // by part
  std::array<std::int64_t, 3> unlike{};  // those with other pixels of this hash elsewhere
  std::array<std::size_t, 3> first{none, none, none};  // by part
  unsigned parts = 0;                                  // bits of the parts that hold some
  unsigned found = 0;  // bits of the parts that have a neighbouring hash in another part
};

Lookalikes sum_up(const Indexes& alike, const Split& split, const std::vector<ImageFacts>& facts) {
  Lookalikes sum;
  sum.hash = facts[alike[0]].perceptual_hash;
  std::unordered_map<std::uint64_t, std::array<std::int64_t, 3>> by_pixels;
  for (const auto i : alike) {
    const auto part = static_cast<std::size_t>(split.parts[i]);
    if (sum.images[part]++ == 0) sum.first[part] = i;
    sum.parts |= part_bit(split.parts[i]);
    ++by_pixels[facts[i].pixel_hash][part];
  }
  const std::int64_t all = sum.images[0] + sum.images[1] + sum.images[2];
  for (const auto& [pixels, same] : by_pixels) {
    const std::int64_t identical = same[0] + same[1] + same[2];
    for (std::size_t part = 0; part < 3; ++part) {
      const std::int64_t elsewhere = all - sum.images[part] - (identical - same[part]);
      if (elsewhere > 0) sum.unlike[part] += same[part];
    }
  }
  return sum;
}

class NearDuplicates {
 public:
  NearDuplicates(const SampleTable& table, const Split& split) : table_(table), split_(split) {}

  void find(std::vector<Lookalikes> sums) {
    std::vector<std::uint64_t> hashes;
    for (auto& sum : sums) {
      hashes.push_back(sum.hash);
      if (sum.unlike[0] + sum.unlike[1] + sum.unlike[2] > 0) add_pair(sum, sum, 0);
    }
    each_near_pair(hashes, near_duplicate_distance, [&](std::size_t a, std::size_t b, int bits) {
      if (std::popcount(sums[a].parts | sums[b].parts) > 1) join(sums[a], sums[b], bits);
    });
    for (const auto& sum : sums) {
      for (std::size_t part = 0; part < 3; ++part) {
        finding.count += (sum.found >> part & 1u) ? sum.images[part] : sum.unlike[part];
      }
    }
    for (const auto& [first, second, bits] : examples_) {
      add_example(finding,
                  fmt::format("{} ({}) ~ {} ({}), {} bits", table_.samples[first].relative,
                              name_of(split_.parts[first]), table_.samples[second].relative,
                              name_of(split_.parts[second]), bits));
    }
  }

  Finding finding{"near_duplicate", "", 0, {}, {}, false};

 private:
  void join(Lookalikes& a, Lookalikes& b, int bits) {
    for (unsigned x = 0; x < 3; ++x) {
      for (unsigned y = 0; y < 3; ++y) {
        if (x == y || !(a.parts >> x & 1u) || !(b.parts >> y & 1u)) continue;
        a.found |= 1u << x;
        b.found |= 1u << y;
      }
    }
    add_pair(a, b, bits);
  }

  // Keeps the first few by their place in the table, whatever order they come in.
  void add_pair(const Lookalikes& a, const Lookalikes& b, int bits) {
    for (std::size_t x = 0; x < 3; ++x) {
      for (std::size_t y = 0; y < 3; ++y) {
        if (x == y || a.first[x] == none || b.first[y] == none) continue;
        examples_.insert(
            {std::min(a.first[x], b.first[y]), std::max(a.first[x], b.first[y]), bits});
        if (examples_.size() > audit_examples) examples_.erase(std::prev(examples_.end()));
      }
    }
  }

  const SampleTable& table_;
  const Split& split_;
  std::set<std::tuple<std::size_t, std::size_t, int>> examples_;
};

}  // namespace

void compare_pictures(AuditReport& report, const SampleTable& table, const Split& split,
                      const std::vector<ImageFacts>& facts) {
  IdenticalPictures identical(table, split);
  for (const auto& same : by_hash(split, facts, [](const ImageFacts& f) { return f.pixel_hash; })) {
    identical.take(same);
  }
  NearDuplicates near(table, split);
  std::vector<Lookalikes> sums;
  for (const auto& alike :
       by_hash(split, facts, [](const ImageFacts& f) { return f.perceptual_hash; })) {
    // A one-colour picture hashes to 0 and looks like every other one.
    if (facts[alike[0]].perceptual_hash != 0) sums.push_back(sum_up(alike, split, facts));
  }
  near.find(std::move(sums));

  const auto twins = identical.across.count, alike = near.finding.count,
             doubtful = identical.conflicting.count;
  add(report, std::move(identical.across),
      fmt::format("{} the same pixels as one in another part",
                  images(twins) + (twins == 1 ? " has" : " have")));
  add(report, std::move(near.finding),
      fmt::format("{} like one in another part (perceptual hashes within {} of 64 bits)",
                  images(alike) + (alike == 1 ? " looks" : " look"), near_duplicate_distance));
  add(report, std::move(identical.conflicting),
      fmt::format("{} identical to one of another class",
                  images(doubtful) + (doubtful == 1 ? " is" : " are")));
  identical.note(report);
}

}  // namespace bcx::data
