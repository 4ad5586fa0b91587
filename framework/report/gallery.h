// Which images a person should look at.
#pragma once

#include <string>
#include <vector>

#include "report/pictures.h"
#include "report/study.h"

namespace bcx::report {

struct Gallery {
  std::string id, title, note;
  std::vector<std::size_t> samples;  ///< indexes into the predictions, in the order to show
};

/// Galleries of single classes, and matrices of them, are of at most so many.
inline constexpr int most_classes = 30;

/// The most confident errors; the least certain; and of each class (of at most most_classes) images
/// from the surest to the most mistaken, in equal steps. Empty ones are left out.
std::vector<Gallery> galleries_of(const Tested& tested);

std::string gallery_html(const Gallery& gallery, const Tested& tested, Pictures& pictures,
                         const Explanations& explanations, const std::string& prefix);

}  // namespace bcx::report
