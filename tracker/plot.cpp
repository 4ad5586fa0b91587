#include "tracker/plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <optional>
#include <utility>

#include "base/text.h"
#include "tracker/axis.h"

namespace bcx::tracker {
namespace {

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

  std::uint8_t cell(int row, int column) const {
    return cells_[static_cast<std::size_t>(row) * columns_ + column];
  }

 private:
  int columns_, rows_;
  std::vector<std::uint8_t> cells_;
};

void draw(Canvas& canvas, const PlotSeries& series, AxisRange xs, AxisRange ys) {
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
std::string x_labels(const std::vector<double>& at, AxisRange xs, int columns) {
  std::string line(static_cast<std::size_t>(columns), ' ');
  int free_from = 0;
  for (const double value : at) {
    const std::string text = tick_label(value);
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

namespace {

std::string coloured(std::size_t series, const std::string& text) {
  // The eight plain colours without black and white, which one of the backgrounds swallows.
  static constexpr std::array codes{"36", "33", "35", "32", "31", "34", "96", "93"};
  return fmt::format("\x1b[{}m{}\x1b[0m", codes[series % codes.size()], text);
}

/// One canvas for each series, and how what lies in one character is shown.
class Layers {
 public:
  Layers(int columns, int rows, std::size_t count, bool colour)
      : columns_(columns), layers_(count, Canvas(columns, rows)), colour_(colour) {}
  Canvas& operator[](std::size_t at) { return layers_[at]; }

  /// Dots; of several series in their colours, or without colours each by a sign of its own. Where
  /// lines cross, the earlier series is seen.
  std::string row(int at) const {
    std::string out, piece;  // of one series, with the blanks behind it
    std::optional<std::size_t> series;
    const auto end_piece = [&] {
      out += series && colour_ && layers_.size() > 1 ? coloured(*series, piece) : piece;
      piece.clear();
    };
    for (int c = 0; c < columns_; ++c) {
      std::uint8_t dots = 0;
      std::optional<std::size_t> first;
      for (std::size_t i = 0; i < layers_.size(); ++i) {
        const auto one = layers_[i].cell(at, c);
        if (one != 0 && !first) first = i;
        dots |= one;
      }
      if (first && first != series) {
        end_piece();
        series = first;
      }
      piece += !first                           ? " "
               : layers_.size() == 1 || colour_ ? utf8(0x2800 + dots)
                                                : std::string(plot_sign(*first));
    }
    piece.erase(piece.find_last_not_of(' ') + 1);
    end_piece();
    return out;
  }

 private:
  int columns_;
  std::vector<Canvas> layers_;
  bool colour_;
};

std::vector<PlotSeries> logarithms(std::span<const PlotSeries> given) {
  std::vector<PlotSeries> out(given.begin(), given.end());
  for (auto& series : out)
    for (double& value : series.y) value = value > 0 ? std::log10(value) : std::nan("");
  return out;
}

/// What stands left of each row.
std::vector<std::string> y_labels(AxisRange ys, int rows, bool log) {
  const int count = std::max(2, rows * 2 / 5);
  auto at = log ? log_ticks(ys, count) : ticks(ys, count);
  for (int more = 3; !log && at.size() < 2 && more <= rows; ++more) at = ticks(ys, more);
  std::vector<std::string> labels(static_cast<std::size_t>(rows));
  for (const double value : at) {
    const auto row = static_cast<std::size_t>(std::lround((1 - ys.share(value)) * (rows - 1)));
    labels[row] = tick_label(log ? std::pow(10.0, value) : value);
  }
  return labels;
}

std::string without_trailing_blanks(std::string line) {
  line.erase(line.find_last_not_of(' ') + 1);
  return line + "\n";
}

std::string title(std::span<const PlotSeries> series, bool colour) {
  if (series.size() == 1) return printable(series[0].name) + "\n";
  std::string out;
  for (std::size_t i = 0; i < series.size(); ++i)
    out += plot_legend(i, colour) + " " + printable(series[i].name) + "\n";
  return out;
}

}  // namespace

std::string_view plot_sign(std::size_t series) {
  static constexpr std::array<std::string_view, 8> signs{"●", "×", "+", "○", "#", "◆", "*", "△"};
  return signs[series % signs.size()];
}

std::string plot_legend(std::size_t series, bool colour) {
  return colour ? coloured(series, "━━") : std::string(plot_sign(series));
}

std::string plot(std::span<const PlotSeries> given, const std::string& x_name,
                 const PlotStyle& style) {
  std::vector<PlotSeries> changed;
  if (style.log) given = changed = logarithms(given);
  std::optional<AxisRange> xs, ys;
  for (const auto& one : given) {
    const auto values = range_of(one.y);
    ys = joined(ys, values);
    if (values) xs = joined(xs, range_of(one.x));
  }
  auto out = title(given, style.colour);
  if (!ys || !xs) {
    out.back() = ':';
    return out + fmt::format(" no {} value to draw\n", style.log ? "positive" : "finite");
  }
  const int rows = std::max(3, style.height);
  const auto labels = y_labels(*ys, rows, style.log);
  std::size_t margin = 0;
  for (const auto& one : labels) margin = std::max(margin, one.size());
  const int columns = std::max(10, style.width - static_cast<int>(margin) - 2);
  Layers layers(columns, rows, given.size(), style.colour);
  for (std::size_t i = 0; i < given.size(); ++i) draw(layers[i], given[i], *xs, *ys);

  for (int r = 0; r < rows; ++r) {
    const auto& text = labels[static_cast<std::size_t>(r)];
    out += without_trailing_blanks(
        fmt::format("{:>{}} {}{}", text, margin, text.empty() ? "│" : "┤", layers.row(r)));
  }
  out += std::string(margin + 1, ' ') + "└";
  for (int c = 0; c < columns; ++c) out += "─";
  const std::string indent(margin + 2, ' ');
  out += "\n" + without_trailing_blanks(
                    indent + x_labels(ticks(*xs, std::max(2, columns / 12)), *xs, columns));
  return out + indent + printable(x_name) + "\n";
}

}  // namespace bcx::tracker
