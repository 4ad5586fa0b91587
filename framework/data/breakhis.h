// Names of the BreakHis data set (F. Spanhol, L. Oliveira, C. Petitjean, L. Heutte, "A dataset for
// breast cancer histopathological image classification", IEEE TBME 63(7), 2016).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace bcx::data {

/// What a file name says:
/// `SOB_<B|M>_<A|F|PT|TA|DC|LC|MC|PC>-<yy>-<number><letters>-<40|100|200|400>-<seq>.png`.
///
/// A "patient" can be three things, and results differ by which is meant: the data set's folder
/// (82), the slide (81: 14-13412 is filed under both DC and LC), or the case number (70: 22549AB,
/// 22549CD and 22549G look like three slides of one case).
struct BreakHisName {
  bool malignant = false;
  std::string type;           ///< A, F, PT, TA (benign), DC, LC, MC, PC (malignant)
  std::string year;           ///< two digits
  std::string number;         ///< digits of the slide id
  std::string letters;        ///< capital letters of the slide id, maybe none
  std::string magnification;  ///< 40, 100, 200, 400
  std::string sequence;       ///< three digits

  std::string case_id() const { return year + "-" + number; }          ///< `14-22549`
  std::string slide() const { return year + "-" + number + letters; }  ///< `14-22549AB`
  std::string patient() const;                                         ///< `SOB_B_A_14-22549AB`
  std::string file_name() const;
  /// Where the data set keeps it below BreaKHis_v1:
  /// `histology_slides/breast/benign/SOB/adenosis/SOB_B_A_14-22549AB/100X/<file name>`.
  std::string relative_path() const;
};

/// Parses a file name (no folder). None when it does not follow the grammar, or when the type does
/// not belong to its class. No regular expression: a million names take a fraction of a second.
std::optional<BreakHisName> parse_breakhis_name(std::string_view file_name);

/// One line of a published fold file: `SOB_B_A-14-22549AB-100-001.png|100|1|train`.
struct BreakHisFoldLine {
  std::string file_name;
  int magnification = 0;
  int fold = 0;        ///< 1-based, as published
  bool train = false;  ///< otherwise test
};

/// None when the line does not follow that form.
std::optional<BreakHisFoldLine> parse_breakhis_fold_line(std::string_view line);

}  // namespace bcx::data
