#include "weights/safetensors_header.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>

#include "base/text.h"

namespace bcx::weights {
namespace {

using nlohmann::json;

constexpr std::size_t most_dimensions = 64;

[[noreturn]] void broken(std::string what) {
  throw BrokenHeader{std::move(what)};
}

/// Receives the JSON's events one by one. A tree (nlohmann's default) would silently keep one of
/// two equal keys, and would be built whole before its shape is known to be right.
class HeaderReader : public nlohmann::json_sax<json> {
 public:
  Header take() { return std::move(header_); }

  bool key(string_t& name) override {
    switch (level_) {
      case Level::root:
        return open_member(name);
      case Level::metadata:
        return open_metadata(name);
      default:
        return open_field(name);
    }
  }

  bool start_object(std::size_t) override {
    if (level_ == Level::start) {
      level_ = Level::root;
    } else if (level_ == Level::root) {
      level_ = name_ == "__metadata__" ? Level::metadata : Level::tensor;
      seen_dtype_ = seen_shape_ = seen_offsets_ = false;
      if (level_ == Level::tensor) entry_ = {{name_, DType::f32, {}}, 0, 0};
    } else {
      misplaced("an object");
    }
    return true;
  }

  bool end_object() override {
    if (level_ == Level::tensor) close_tensor();
    level_ = level_ == Level::root ? Level::done : Level::root;
    return true;
  }

  bool start_array(std::size_t) override {
    if (level_ != Level::tensor || field_ == Field::dtype) misplaced("an array");
    level_ = Level::numbers;
    numbers_.clear();
    return true;
  }

  bool end_array() override {
    level_ = Level::tensor;
    if (field_ == Field::shape)
      take_shape();
    else
      take_offsets();
    return true;
  }

  bool string(string_t& text) override {
    if (level_ == Level::metadata) {
      header_.metadata[name_] = text;
    } else if (level_ == Level::tensor && field_ == Field::dtype) {
      const auto dtype = dtype_named(text);
      if (!dtype) broken(fmt::format("{} has the unknown type \"{}\"", tensor(), printable(text)));
      entry_.info.dtype = *dtype;
    } else {
      misplaced("a string");
    }
    return true;
  }

  bool number_unsigned(number_unsigned_t number) override {
    if (level_ != Level::numbers) misplaced("a number");
    numbers_.push_back(number);
    return true;
  }
  bool number_integer(number_integer_t number) override {
    return not_a_count(std::to_string(number));
  }
  bool number_float(number_float_t, const string_t& text) override { return not_a_count(text); }
  bool null() override { misplaced("null"); }
  bool boolean(bool) override { misplaced("a boolean"); }
  bool binary(binary_t&) override { misplaced("binary data"); }

  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::detail::exception&) override {
    broken(fmt::format("the header is not JSON at byte {}", position));
  }

 private:
  enum class Level { start, root, metadata, tensor, numbers, done };
  enum class Field { dtype, shape, offsets };

  std::string tensor() const { return fmt::format("tensor \"{}\"", printable(entry_.info.name)); }

  [[noreturn]] void misplaced(const char* what) const {
    switch (level_) {
      case Level::start:
        broken(fmt::format("the header is {}, expected an object", what));
      case Level::root:
        broken(
            fmt::format("header entry \"{}\" is {}, expected an object", printable(name_), what));
      case Level::metadata:
        broken(fmt::format("metadata \"{}\" is {}, expected text", printable(name_), what));
      default:
        broken(fmt::format("{} has {} where the format has none", tensor(), what));
    }
  }

  bool not_a_count(const std::string& text) const {
    if (level_ != Level::numbers) misplaced("a number");
    broken(fmt::format("{} has {} in its {}, expected a whole number from 0 to 2^63 - 1", tensor(),
                       text, field_ == Field::shape ? "shape" : "data_offsets"));
  }

  bool open_member(const std::string& name) {
    if (!names_.insert(name).second)
      broken(fmt::format("the header has \"{}\" twice", printable(name)));
    name_ = name;
    return true;
  }

  bool open_metadata(const std::string& name) {
    if (header_.metadata.contains(name))
      broken(fmt::format("the metadata has \"{}\" twice", printable(name)));
    name_ = name;
    return true;
  }

  bool open_field(const std::string& name) {
    bool* seen = name == "dtype"          ? &seen_dtype_
                 : name == "shape"        ? &seen_shape_
                 : name == "data_offsets" ? &seen_offsets_
                                          : nullptr;
    if (!seen) broken(fmt::format("{} has the unknown field \"{}\"", tensor(), printable(name)));
    if (*seen) broken(fmt::format("{} has \"{}\" twice", tensor(), name));
    *seen = true;
    field_ = seen == &seen_dtype_   ? Field::dtype
             : seen == &seen_shape_ ? Field::shape
                                    : Field::offsets;
    return true;
  }

  void take_shape() {
    if (numbers_.size() > most_dimensions)
      broken(fmt::format("{} has {} dimensions, at most {} are allowed", tensor(), numbers_.size(),
                         most_dimensions));
    for (const std::uint64_t number : numbers_) {
      if (number > INT64_MAX) not_a_count_of(Field::shape, number);
      entry_.info.shape.push_back(static_cast<std::int64_t>(number));
    }
  }

  void take_offsets() {
    if (numbers_.size() != 2)
      broken(fmt::format("{} has {} data_offsets, expected 2", tensor(), numbers_.size()));
    for (const std::uint64_t number : numbers_)
      if (number > INT64_MAX) not_a_count_of(Field::offsets, number);
    entry_.begin = numbers_[0];
    entry_.end = numbers_[1];
  }

  void not_a_count_of(Field field, std::uint64_t number) {
    field_ = field;
    level_ = Level::numbers;
    not_a_count(std::to_string(number));
  }

  void close_tensor() {
    for (const auto& [seen, field] :
         {std::pair{seen_dtype_, "dtype"}, {seen_shape_, "shape"}, {seen_offsets_, "data_offsets"}})
      if (!seen) broken(fmt::format("{} lacks \"{}\"", tensor(), field));
    require_size();
    header_.entries.push_back(std::move(entry_));
  }

  void require_size() const {
    const auto count = elements_of(entry_.info.shape);
    std::int64_t bytes = 0;
    const auto size = static_cast<std::int64_t>(size_of(entry_.info.dtype));
    if (!count || __builtin_mul_overflow(*count, size, &bytes))
      broken(fmt::format("{} is too large: shape {}", tensor(), text_of(entry_.info.shape)));
    if (entry_.end < entry_.begin)
      broken(
          fmt::format("{} ends at {} before it begins at {}", tensor(), entry_.end, entry_.begin));
    if (entry_.end - entry_.begin != static_cast<std::uint64_t>(bytes))
      broken(fmt::format("{} takes {} bytes, {} {} needs {}", tensor(), entry_.end - entry_.begin,
                         name_of(entry_.info.dtype), text_of(entry_.info.shape), bytes));
  }

  Header header_;
  Level level_ = Level::start;
  Field field_ = Field::dtype;
  std::string name_;
  HeaderEntry entry_;
  bool seen_dtype_ = false, seen_shape_ = false, seen_offsets_ = false;
  std::vector<std::uint64_t> numbers_;
  std::set<std::string> names_;
};

}  // namespace

Header parse_header(std::string_view text) {
  // The format asks for it, so that the header cannot hide behind blanks.
  if (text.empty() || text.front() != '{') broken("the header does not begin with \"{\"");
  // nlohmann takes a zero byte for the end of the text, and would not look at what follows.
  if (const auto zero = text.find('\0'); zero != text.npos)
    broken(fmt::format("the header is not JSON at byte {}", zero + 1));
  HeaderReader reader;
  json::sax_parse(text.begin(), text.end(), &reader);
  Header header = reader.take();
  std::sort(header.entries.begin(), header.entries.end(), [](const auto& a, const auto& b) {
    return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
  });
  return header;
}

void require_cover(const Header& header, std::uint64_t data_size) {
  std::uint64_t covered = 0;
  for (const auto& entry : header.entries) {
    const std::string name = printable(entry.info.name);
    if (entry.begin > covered)
      broken(fmt::format("{} bytes before tensor \"{}\" belong to no tensor", entry.begin - covered,
                         name));
    if (entry.begin < covered)
      broken(fmt::format("tensor \"{}\" overlaps the one before it", name));
    covered = entry.end;
  }
  if (covered > data_size)
    broken(fmt::format("the tensors take {} bytes, the file holds {}: it is cut short", covered,
                       data_size));
  if (covered < data_size)
    broken(fmt::format("{} bytes after the last tensor belong to no tensor", data_size - covered));
}

std::string header_text(const std::vector<TensorInfo>& layout, const Metadata& metadata) {
  nlohmann::ordered_json root = nlohmann::ordered_json::object();
  if (!metadata.empty()) root["__metadata__"] = metadata;
  std::uint64_t begin = 0;
  for (const auto& tensor : layout) {
    const auto count = elements_of(tensor.shape);
    if (!count) throw std::logic_error("a tensor's shape is impossible: " + text_of(tensor.shape));
    if (tensor.name == "__metadata__" || root.contains(tensor.name))
      throw std::logic_error("a tensor's name is taken: " + printable(tensor.name));
    const std::uint64_t end = begin + static_cast<std::uint64_t>(*count) * size_of(tensor.dtype);
    root[tensor.name] = {
        {"dtype", name_of(tensor.dtype)}, {"shape", tensor.shape}, {"data_offsets", {begin, end}}};
    begin = end;
  }
  std::string text = root.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');
  return text;
}

}  // namespace bcx::weights
