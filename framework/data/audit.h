// What makes a result dishonest, looked for before training: groups, pictures and labels that
// stand on both sides of a split.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "data/sample.h"
#include "data/split.h"

namespace bcx::data {

/// Largest Hamming distance of two perceptual hashes that counts as a near duplicate. Half of such
/// a hash's 64 bits are set (they say "above the median"), so distances are even, and two unrelated
/// ones lie within 4 bits with probability (1 + 32^2 + C(32, 2)^2) / C(64, 32) = 1.3e-13: among
/// the 5e9 pairs of 100,000 images 7e-4 are expected by chance. A picture that was recompressed,
/// rescaled or brightened moves by 0 to 4 bits.
inline constexpr int near_duplicate_distance = 4;

/// One thing found. Names are stable: an experiment allows them by name.
struct Finding {
  std::string name;        ///< one of audit_names()
  std::string key;         ///< the attribute, for group_overlap; else ""
  std::int64_t count = 0;  ///< groups, images, pairs or classes, as `text` says
  std::string text;        ///< one sentence: `3 values of "case" lie in more than one part`
  std::vector<std::string> examples;  ///< at most five; names are raw: print with printable()
  bool allowed = false;
};

struct AuditReport {
  std::vector<Finding> findings;    ///< in the order of audit_names()
  std::vector<std::string> stamps;  ///< of the split and of the allowed findings, sorted, unique
  std::vector<std::string> notes;   ///< worth knowing, stops nothing (duplicates within a part)
  std::vector<std::string> keys;    ///< attributes that were compared
  bool pixels = false;              ///< whether pictures were compared, or names only
  bool clean() const;               ///< nothing that is not allowed
};

/// group_overlap      a value of a group key lies in more than one part (stamp LEAKY)
/// identical_image    the same pixels in more than one part
/// near_duplicate     perceptual hashes within near_duplicate_distance in different parts
/// conflicting_label  the same pixels under different classes
/// missing_class      a part without any image of a class (leave_one_group_out: not asked of test)
/// one_group_class    a class whose images are all of one group: class and group cannot be told
/// apart
const std::vector<std::string>& audit_names();

/// Compares every pair of parts among train, validation and test.
///
/// `facts` (aligned with the table, or nullptr: names only) come from decoding; images with a
/// problem and those of Part::unused are left out. `allow` holds finding names; `group_overlap` is
/// allowed as well when the split is by image. `patient` is data.patient. Throws bcx::Error
/// (usage) for a name in `allow` that does not exist.
///
/// Cost: near duplicates are found by banding (five bands of 12 or 13 bits: two hashes within four
/// bits agree in one), about linear for hashes that differ; 100,000 images take well under a
/// second.
AuditReport audit(const SampleTable& table, const Split& split,
                  const std::vector<ImageFacts>* facts, const std::vector<std::string>& allow,
                  std::string_view patient = {});

/// Throws ErrorList (data), one error per finding that is not allowed, each saying how to allow it.
void require_clean(const AuditReport& report);

}  // namespace bcx::data
