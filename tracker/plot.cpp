#include "tracker/plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <optional>

#include "base/text.h"

namespace bcx::tracker {
namespace {

struct Range {
  double low = 0, high = 0;
  /// Halved before they are subtracted: the whole range of doubles does not fit a double.
  double share(double value) const {
    return high > low ? (value / 2 - low / 2) / (high / 2 - low / 2) : 0.5;
  }
};

std::optional<Range> range_of(std::span<const double> values) {
  std::optional<Range> range;
  for (const double v : values) {
    if (!std::isfinite(v)) continue;
    if (!range) range = Range{v, v};
    range->low = std::min(range->low, v);
    range->high = std::max(range->high, v);
  }
  return range;
}

std::string utf8(char32_t code) {  // U+0800 .. U+FFFF
  return {static_cast<char>(0xE0 | (code >> 12)), static_cast<char>(0x80 | ((code >> 6) & 0x3F)),
          static_cast<char>(0x80 | (code & 0x3F))};
}

/// A grid of braille characters; dots are counted from the upper left.
class Canvas {
 public:
  Canvas(int columns, int rows)
      : columns_(columns), rows_(rows), cells_(static_cast<std::size_t>(columns) * rows, 0) {}
  int width() const { return columns_ * 2; }
  int height() const { return rows_ * 4; }

  void dot(int x, int y) {
    // Bits of a braille pattern, by column and row of its dots (Unicode standard, U+2800 block).
    static constexpr std::array<std::array<std::uint8_t, 4>, 2> bits{
        {{0x01, 0x02, 0x04, 0x40}, {0x08, 0x10, 0x20, 0x80}}};
    if (x < 0 || y < 0 || x >= width() || y >= height()) return;
    cells_[static_cast<std::size_t>(y / 4) * columns_ + x / 2] |= bits[x % 2][y % 4];
  }

  /// Bresenham's line, both ends included.
  void line(int x0, int y0, int x1, int y1) {
    const int dx = std::abs(x1 - x0), dy = -std::abs(y1 - y0);
    const int sx = x0 < x1 ? 1 : -1, sy = y0 < y1 ? 1 : -1;
    for (int error = dx + dy;;) {
      dot(x0, y0);
      if (x0 == x1 && y0 == y1) return;
      const int twice = 2 * error;
      if (twice >= dy) error += dy, x0 += sx;
      if (twice <= dx) error += dx, y0 += sy;
    }
  }

  std::string row(int at) const {
    std::string out;
    for (int c = 0; c < columns_; ++c) {
      const auto cell = cells_[static_cast<std::size_t>(at) * columns_ + c];
      out += cell == 0 ? " " : utf8(0x2800 + cell);
    }
    return out;
  }

 private:
  int columns_, rows_;
  std::vector<std::uint8_t> cells_;
};

/// The largest of 1, 2, 5 times a power of ten of which at most `count` steps span the range
/// (Heckbert: "Nice numbers for graph labels", Graphics Gems, 1990).
double nice_step(Range range, int count) {
  const double rough = (range.high - range.low) / std::max(1, count);
  const double power = std::pow(10.0, std::floor(std::log10(rough)));
  for (const double factor : {1.0, 2.0, 5.0})
    if (factor * power >= rough * (1 - 1e-9)) return factor * power;
  return 10 * power;
}

std::vector<double> ticks(Range range, int count) {
  if (!(range.high > range.low)) return {range.low};
  const double step = nice_step(range, count);
  if (!std::isfinite(step) || step <= 0) return {range.low, range.high};
  std::vector<double> out;
  for (double i = std::ceil(range.low / step - 1e-9); i * step <= range.high + step * 1e-9; ++i) {
    out.push_back(i == 0 ? 0.0 : i * step);
    if (out.size() > 100) break;  // steps below the numbers' precision
  }
  return out;
}

std::string label(double value) {
  return fmt::format("{:.6g}", value);
}

void draw(Canvas& canvas, const PlotSeries& series, Range xs, Range ys) {
  int last_x = -1, last_y = -1;
  for (std::size_t i = 0; i < series.x.size(); ++i) {
    if (!std::isfinite(series.y[i])) {
      last_x = -1;
      continue;
    }
    const int x = static_cast<int>(std::lround(xs.share(series.x[i]) * (canvas.width() - 1)));
    const int y =
        static_cast<int>(std::lround((1 - ys.share(series.y[i])) * (canvas.height() - 1)));
    if (last_x < 0)
      canvas.dot(x, y);
    else
      canvas.line(last_x, last_y, x, y);
    last_x = x;
    last_y = y;
  }
}

/// Labels centred under their places, left out where they would touch.
std::string x_labels(const std::vector<double>& at, Range xs, int columns) {
  std::string line(static_cast<std::size_t>(columns), ' ');
  int free_from = 0;
  for (const double value : at) {
    const std::string text = label(value);
    const int size = static_cast<int>(text.size());
    const int centre = static_cast<int>(std::lround(xs.share(value) * (columns - 1)));
    const int start = std::clamp(centre - size / 2, 0, std::max(0, columns - size));
    if (start < free_from || start + size > columns) continue;
    line.replace(static_cast<std::size_t>(start), text.size(), text);
    free_from = start + size + 2;
  }
  return line;
}

}  // namespace

std::string sparkline(std::span<const double> values, int width) {
  static constexpr std::array<const char*, 8> bars{"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  const auto range = range_of(values);
  if (values.empty() || width <= 0) return "";
  double sum = 0, finite = 0;
  for (const double v : values)
    if (std::isfinite(v)) sum += v, ++finite;
  const double mean = finite > 0 ? sum / finite : 0;
  const std::size_t columns = std::min<std::size_t>(values.size(), static_cast<std::size_t>(width));
  std::string out;
  for (std::size_t c = 0; c < columns; ++c) {
    std::optional<double> shown;
    const auto end = (c + 1) * values.size() / columns;
    for (auto i = c * values.size() / columns; i < end; ++i)
      if (std::isfinite(values[i]) &&
          (!shown || std::abs(values[i] - mean) > std::abs(*shown - mean)))
        shown = values[i];
    out += shown ? bars[static_cast<std::size_t>(std::lround(range->share(*shown) * 7))] : " ";
  }
  return out;
}

PlotSeries extremes(std::span<const Bucket> buckets, bool epochs) {
  PlotSeries series;
  const auto add = [&](const Bucket& bucket, std::int64_t step, double value) {
    const auto width = static_cast<double>(bucket.last_step - bucket.first_step);
    const double share = width > 0 ? static_cast<double>(step - bucket.first_step) / width : 0;
    series.x.push_back(epochs
                           ? bucket.first_epoch + share * (bucket.last_epoch - bucket.first_epoch)
                           : static_cast<double>(step));
    series.y.push_back(value);
  };
  for (const auto& bucket : buckets) {
    if (!bucket.finite) {
      add(bucket, bucket.first_step, std::nan(""));
      continue;
    }
    const auto& told = *bucket.finite;
    const bool low_first = told.min_step <= told.max_step;
    add(bucket, low_first ? told.min_step : told.max_step, low_first ? told.min : told.max);
    if (told.min_step != told.max_step)
      add(bucket, low_first ? told.max_step : told.min_step, low_first ? told.max : told.min);
  }
  return series;
}

std::string plot(const PlotSeries& given, const std::string& x_name, PlotSize size, bool log) {
  PlotSeries series = given;
  if (log)
    for (double& value : series.y) value = value > 0 ? std::log10(value) : std::nan("");
  const auto ys = range_of(series.y), xs = range_of(series.x);
  if (!ys || !xs)
    return fmt::format("{}: no {} value to draw\n", printable(series.name),
                       log ? "positive" : "finite");
  const int rows = std::max(3, size.height);
  auto y_ticks = ticks(*ys, std::max(2, rows * 2 / 5));
  for (int count = 3; y_ticks.size() < 2 && count <= rows; ++count) y_ticks = ticks(*ys, count);
  std::vector<std::string> labels(static_cast<std::size_t>(rows));
  int margin = 0;
  for (const double value : y_ticks) {
    const auto row = static_cast<std::size_t>(std::lround((1 - ys->share(value)) * (rows - 1)));
    labels[row] = label(log ? std::pow(10.0, value) : value);
    margin = std::max(margin, static_cast<int>(labels[row].size()));
  }
  const int columns = std::max(10, size.width - margin - 2);
  Canvas canvas(columns, rows);
  draw(canvas, series, *xs, *ys);

  std::string out = printable(series.name) + "\n";
  for (int r = 0; r < rows; ++r) {
    const auto& text = labels[static_cast<std::size_t>(r)];
    std::string line =
        fmt::format("{:>{}} {}{}", text, margin, text.empty() ? "│" : "┤", canvas.row(r));
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  out += std::string(static_cast<std::size_t>(margin) + 1, ' ') + "└";
  for (int c = 0; c < columns; ++c) out += "─";
  std::string under = x_labels(ticks(*xs, std::max(2, columns / 12)), *xs, columns);
  under.erase(under.find_last_not_of(' ') + 1);
  const std::string indent(static_cast<std::size_t>(margin) + 2, ' ');
  out += "\n" + indent + under + "\n" + indent + printable(x_name) + "\n";
  return out;
}

}  // namespace bcx::tracker
