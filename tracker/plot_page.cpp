#include "tracker/plot_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "tracker/axis.h"

namespace bcx::tracker {
namespace {

constexpr double width = 960, plot_height = 420, margin = 16, line_height = 20, letter = 7.2;
constexpr std::size_t marked_points = 60;  // a series of so few has a mark for each

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : printable(text)) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '"')
      out += "&quot;";
    else
      out += c;
  }
  return out;
}

std::string stroke(std::size_t series) {
  static constexpr std::array colours{"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                      "#e69f00", "#56b4e9", "#000000", "#8c6d00"};
  static constexpr std::array dashes{"", "6 4", "2 3", "10 3 2 3"};
  const auto dash = dashes[series / colours.size() % dashes.size()];
  const auto colour = colours[series % colours.size()];
  return *dash ? fmt::format("stroke=\"{}\" stroke-dasharray=\"{}\"", colour, dash)
               : fmt::format("stroke=\"{}\"", colour);
}

/// The picture: where things stand in it, and the pieces of it.
class Picture {
 public:
  Picture(std::span<const PlotSeries> series, const PlotPage& page)
      : series_(series.begin(), series.end()), page_(page) {
    for (auto& one : series_) {
      if (page.log)
        for (double& value : one.y) value = value > 0 ? std::log10(value) : std::nan("");
      const auto values = range_of(one.y);
      ys_ = joined(ys_, values);
      if (values) xs_ = joined(xs_, range_of(one.x));
    }
    place();
  }

  std::string svg() const {
    std::string out = fmt::format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {1}\" width=\"{0}\" "
        "height=\"{1}\" font-family=\"sans-serif\" font-size=\"13\">\n"
        "<rect width=\"{0}\" height=\"{1}\" fill=\"#ffffff\"/>\n"
        "<text x=\"{2}\" y=\"{3}\" font-size=\"16\">{4}</text>\n",
        width, bottom_ + 48, margin, margin + 12, escaped(page_.title));
    out += legend();
    if (xs_ && ys_)
      out += grid() + lines();
    else
      out += fmt::format("<text x=\"{}\" y=\"{}\">no {} value to draw</text>\n", left_, top_ + 40,
                         page_.log ? "positive" : "finite");
    return out + "</svg>\n";
  }

  /// What the page's script needs: the drawing's place and every point in it.
  nlohmann::ordered_json points() const {
    nlohmann::ordered_json out{{"left", left_},
                               {"right", right_},
                               {"top", top_},
                               {"bottom", bottom_},
                               {"x_name", printable(page_.x_name)}};
    out["series"] = nlohmann::ordered_json::array();
    for (std::size_t i = 0; xs_ && ys_ && i < series_.size(); ++i) {
      auto points = nlohmann::ordered_json::array();
      for (std::size_t at = 0; at < series_[i].x.size(); ++at) {
        const double value = series_[i].y[at];
        if (!std::isfinite(value)) continue;
        points.push_back({std::round(x(series_[i].x[at]) * 10) / 10, std::round(y(value) * 10) / 10,
                          tick_label(series_[i].x[at]),
                          tick_label(page_.log ? std::pow(10.0, value) : value)});
      }
      out["series"].push_back({{"name", printable(series_[i].name)}, {"points", points}});
    }
    return out;
  }

 private:
  double x(double value) const { return left_ + xs_->share(value) * (right_ - left_); }
  double y(double value) const { return bottom_ - ys_->share(value) * (bottom_ - top_); }
  double legend_top() const { return margin + 24; }

  void place() {
    top_ = legend_top() + static_cast<double>(series_.size()) * line_height + 12;
    bottom_ = top_ + plot_height;
    right_ = width - margin - 8;
    if (ys_) y_ticks_ = page_.log ? log_ticks(*ys_, 9) : ticks(*ys_, 7);
    std::size_t longest = 4;
    for (const double value : y_ticks_) longest = std::max(longest, y_label(value).size());
    left_ = margin + 8 + static_cast<double>(longest) * letter;
  }

  std::string y_label(double value) const {
    return tick_label(page_.log ? std::pow(10.0, value) : value);
  }

  std::string legend() const {
    std::string out;
    for (std::size_t i = 0; i < series_.size(); ++i) {
      const double at = legend_top() + (static_cast<double>(i) + 0.5) * line_height;
      out += fmt::format(
          "<path d=\"M{} {}h28\" {} stroke-width=\"2.5\"/><text x=\"{}\" y=\"{}\">{}</text>\n",
          margin, at, stroke(i), margin + 36, at + 4, escaped(series_[i].name));
    }
    return out;
  }

  std::string grid() const {
    std::string out = "<g stroke=\"#dddddd\">\n", labels;
    for (const double value : y_ticks_) {
      out += fmt::format("<path d=\"M{} {:.1f}H{}\"/>\n", left_, y(value), right_);
      labels += fmt::format("<text x=\"{}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text>\n",
                            left_ - 8, y(value) + 4, y_label(value));
    }
    for (const double value : ticks(*xs_, 10)) {
      out += fmt::format("<path d=\"M{:.1f} {}V{}\"/>\n", x(value), top_, bottom_);
      labels += fmt::format("<text x=\"{:.1f}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n",
                            x(value), bottom_ + 18, tick_label(value));
    }
    return out + fmt::format(
                     "</g>\n<path d=\"M{} {}V{}H{}\" fill=\"none\" stroke=\"#444444\"/>\n{}"
                     "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n",
                     left_, top_, bottom_, right_, labels, (left_ + right_) / 2, bottom_ + 38,
                     escaped(page_.x_name));
  }

  std::string lines() const {
    std::string out;
    for (std::size_t i = 0; i < series_.size(); ++i) {
      std::string path, marks;
      bool pen_down = false;
      const bool marked = series_[i].x.size() <= marked_points;
      for (std::size_t at = 0; at < series_[i].x.size(); ++at) {
        if (!std::isfinite(series_[i].y[at])) {
          pen_down = false;
          continue;
        }
        const auto place = fmt::format("{:.1f} {:.1f}", x(series_[i].x[at]), y(series_[i].y[at]));
        // `h0` makes a dot of a point that stands alone.
        path += pen_down ? "L" + place : "M" + place + "h0";
        if (marked) marks += "M" + place + "h0";
        pen_down = true;
      }
      const auto draw = [&](const std::string& what, double thick) {
        if (!what.empty())
          out += fmt::format(
              "<path d=\"{}\" fill=\"none\" {} stroke-width=\"{}\" stroke-linecap=\"round\" "
              "stroke-linejoin=\"round\"/>\n",
              what, stroke(i), thick);
      };
      draw(path, 1.8);
      draw(marks, 5);
    }
    return out;
  }

  std::vector<PlotSeries> series_;
  const PlotPage& page_;
  std::optional<AxisRange> xs_, ys_;
  std::vector<double> y_ticks_;
  double left_ = 0, right_ = 0, top_ = 0, bottom_ = 0;
};

constexpr const char* script = R"js(
const data = JSON.parse(document.getElementById("points").textContent);
const svg = document.querySelector("svg"), told = document.getElementById("told");
const line = document.createElementNS("http://www.w3.org/2000/svg", "path");
line.setAttribute("stroke", "#888888");
svg.append(line);
svg.addEventListener("pointermove", event => {
  const box = svg.getBoundingClientRect();
  const x = (event.clientX - box.left) * svg.viewBox.baseVal.width / box.width;
  if (x < data.left - 5 || x > data.right + 5) return;
  const rows = [];
  let at = null;
  for (const series of data.series) {
    let near = null;
    for (const point of series.points)
      if (!near || Math.abs(point[0] - x) < Math.abs(near[0] - x)) near = point;
    if (!near) continue;
    if (!at || Math.abs(near[0] - x) < Math.abs(at[0] - x)) at = near;
    rows.push(series.name + ": " + near[3] + " at " + data.x_name + " " + near[2]);
  }
  if (at) line.setAttribute("d", "M" + at[0] + " " + data.top + "V" + data.bottom);
  told.textContent = rows.join("\n");
});
)js";

}  // namespace

std::string svg_plot(std::span<const PlotSeries> series, const PlotPage& page) {
  return Picture(series, page).svg();
}

std::string html_plot(std::span<const PlotSeries> series, const PlotPage& page) {
  const Picture picture(series, page);
  // Within a script element nothing is escaped but by JSON itself: no `<` may stand there.
  auto points =
      picture.points().dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
  for (std::size_t at = 0; (at = points.find('<', at)) != points.npos;)
    points.replace(at, 1, "\\u003c");
  return fmt::format(
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>{}</title>\n"
      "<style>body{{font-family:sans-serif;margin:1rem}}svg{{max-width:100%;height:auto}}"
      "pre{{min-height:4em}}</style>\n</head>\n<body>\n{}<pre id=\"told\">Move the pointer over "
      "the "
      "picture to read values.</pre>\n<script type=\"application/json\" id=\"points\">{}</script>\n"
      "<script>{}</script>\n</body>\n</html>\n",
      escaped(page.title), picture.svg(), points, script);
}

}  // namespace bcx::tracker
