// A demo data set in memory: the table that scan() would give, and small pictures beside it.
#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/hash.h"
#include "data/breakhis.h"
#include "data/demo.h"
#include "data/resize.h"
#include "data/sample.h"

namespace bcx::test {

struct DemoSet {
  data::SampleTable table;
  std::vector<data::Image> pictures;  ///< aligned with the table, square
};

inline DemoSet draw_demo_set(const data::DemoOptions& options, std::int64_t side) {
  std::vector<data::DemoImage> drawn;
  for (std::int64_t i = 0; i < options.images; ++i) {
    drawn.push_back(data::draw_demo_image(options, i));
  }
  std::sort(drawn.begin(), drawn.end(),
            [](const auto& a, const auto& b) { return a.relative < b.relative; });
  DemoSet set;
  set.table.classes = {"benign", "malignant"};
  set.table.attribute_names = {"case", "slide", "patient"};
  for (const auto& one : drawn) {
    const auto name = *data::parse_breakhis_name(one.relative.substr(one.relative.rfind('/') + 1));
    set.table.samples.push_back({stable_hash(one.relative),
                                 one.relative,
                                 {},
                                 one.label,
                                 {name.case_id(), name.slide(), name.patient()}});
    set.pictures.push_back(data::resize_square(one.image.view(), side, data::resize_rule("stretch"),
                                               data::interpolation("area")));
  }
  return set;
}

}  // namespace bcx::test
