#include "data/breakhis.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/text.h"

namespace bcx::data {
namespace {

struct TumourType {
  std::string_view code, folder;
  bool malignant;
};

constexpr std::array<TumourType, 8> tumour_types{{{"A", "adenosis", false},
                                                  {"F", "fibroadenoma", false},
                                                  {"PT", "phyllodes_tumor", false},
                                                  {"TA", "tubular_adenoma", false},
                                                  {"DC", "ductal_carcinoma", true},
                                                  {"LC", "lobular_carcinoma", true},
                                                  {"MC", "mucinous_carcinoma", true},
                                                  {"PC", "papillary_carcinoma", true}}};

const TumourType* find_type(std::string_view code) {
  const auto found = std::find_if(tumour_types.begin(), tumour_types.end(),
                                  [&](const TumourType& type) { return type.code == code; });
  return found == tumour_types.end() ? nullptr : &*found;
}

// A cursor over the name: each take_* moves past what it takes.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : rest_(text) {}

  bool take(std::string_view literal) {
    if (!rest_.starts_with(literal)) return false;
    rest_.remove_prefix(literal.size());
    return true;
  }
  std::string_view take_while(bool (*accepts)(char)) {
    const auto end = std::find_if_not(rest_.begin(), rest_.end(), accepts);
    const auto taken = rest_.substr(0, static_cast<std::size_t>(end - rest_.begin()));
    rest_.remove_prefix(taken.size());
    return taken;
  }
  bool empty() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_capital(char c) {
  return c >= 'A' && c <= 'Z';
}

bool is_magnification(std::string_view text) {
  return text == "40" || text == "100" || text == "200" || text == "400";
}

std::optional<int> whole_number(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

std::optional<BreakHisName> parse_breakhis_name(std::string_view file_name) {
  Cursor cursor(file_name);
  if (!cursor.take("SOB_")) return std::nullopt;
  const std::string_view letter = cursor.take_while(is_capital);
  if ((letter != "B" && letter != "M") || !cursor.take("_")) return std::nullopt;
  BreakHisName name;
  name.malignant = letter == "M";
  name.type = cursor.take_while(is_capital);
  const TumourType* type = find_type(name.type);
  if (!type || type->malignant != name.malignant || !cursor.take("-")) return std::nullopt;
  name.year = cursor.take_while(is_digit);
  if (name.year.size() != 2 || !cursor.take("-")) return std::nullopt;
  name.number = cursor.take_while(is_digit);
  name.letters = cursor.take_while(is_capital);
  if (name.number.empty() || !cursor.take("-")) return std::nullopt;
  name.magnification = cursor.take_while(is_digit);
  if (!is_magnification(name.magnification) || !cursor.take("-")) return std::nullopt;
  name.sequence = cursor.take_while(is_digit);
  if (name.sequence.size() != 3 || !cursor.take(".png") || !cursor.empty()) return std::nullopt;
  return name;
}

std::string BreakHisName::patient() const {
  return std::string("SOB_") + (malignant ? "M_" : "B_") + type + "_" + slide();
}

std::string BreakHisName::file_name() const {
  return std::string("SOB_") + (malignant ? "M_" : "B_") + type + "-" + slide() + "-" +
         magnification + "-" + sequence + ".png";
}

std::string BreakHisName::relative_path() const {
  return std::string("histology_slides/breast/") + (malignant ? "malignant" : "benign") + "/SOB/" +
         std::string(find_type(type)->folder) + "/" + patient() + "/" + magnification + "X/" +
         file_name();
}

std::optional<BreakHisFoldLine> parse_breakhis_fold_line(std::string_view line) {
  const auto cells = split(trim(line), '|');
  if (cells.size() != 4) return std::nullopt;
  const auto name = parse_breakhis_name(cells[0]);
  if (!name || cells[1] != name->magnification) return std::nullopt;
  if (cells[3] != "train" && cells[3] != "test") return std::nullopt;
  const auto fold = whole_number(cells[2]);
  if (!fold || *fold < 1) return std::nullopt;
  return BreakHisFoldLine{cells[0], *whole_number(cells[1]), *fold, cells[3] == "train"};
}

}  // namespace bcx::data
