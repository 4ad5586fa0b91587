#include "data/images/tissue.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>
#include <vector>

namespace bcx::data::images {
namespace {

constexpr double pi = std::numbers::pi;
constexpr int fine = 2;               // drawn at twice the size, then averaged: smooth edges
constexpr double design_width = 175;  // lengths below are in pixels at this width

// The stream's numbers one after the other.
class Draws {
 public:
  explicit Draws(const Stream& stream) : stream_(stream) {}
  double uniform(double low = 0, double high = 1) {
    return low + (high - low) * stream_.uniform(next_++);
  }
  double normal() {
    // Box-Muller by hand: normal(i) of the stream uses words 2i and 2i+1.
    const double u = 1 - uniform(), v = uniform();
    return std::sqrt(-2 * std::log(u)) * std::cos(2 * pi * v);
  }

 private:
  Stream stream_;
  std::uint64_t next_ = 0;
};

double between(double low, double high, double at) {
  return low + (high - low) * std::clamp(at, -0.2, 1.2);
}

class Canvas {
 public:
  Canvas(const Tissue& tissue, int width, int height, const Stream& stream)
      : tissue_(tissue),
        draws_(stream),
        scale_(fine * width / design_width),
        nuclei_(height * fine, width * fine, CV_8U, cv::Scalar(0)),
        plasma_(height * fine, width * fine, CV_8U, cv::Scalar(0)) {}

  Image draw() {
    draw_stroma();
    draw_glands();
    draw_scattered_nuclei();
    return stain();
  }

 private:
  // Smoothed noise, stretched along the fibres: mean 0, standard deviation 1.
  cv::Mat noise(double length, double across, double angle) {
    cv::Mat field(nuclei_.size() / (2 * fine) + cv::Size(1, 1), CV_32F);
    for (int y = 0; y < field.rows; ++y) {
      for (int x = 0; x < field.cols; ++x) {
        field.at<float>(y, x) = static_cast<float>(draws_.normal());
      }
    }
    cv::filter2D(field, field, CV_32F, fibre_kernel(length / 2, across / 2, angle));
    cv::Scalar mean, deviation;
    cv::meanStdDev(field, mean, deviation);
    field = (field - mean[0]) / std::max(deviation[0], 1e-6);
    cv::resize(field, field, nuclei_.size(), 0, 0, cv::INTER_CUBIC);
    return field;
  }

  // An oriented Gaussian; lengths in pixels of the coarse field at the design width.
  cv::Mat fibre_kernel(double length, double across, double angle) const {
    const double unit = scale_ / fine;
    const int reach = std::min(31, static_cast<int>(std::ceil(2.5 * length * unit)));
    cv::Mat kernel(2 * reach + 1, 2 * reach + 1, CV_32F);
    for (int y = -reach; y <= reach; ++y) {
      for (int x = -reach; x <= reach; ++x) {
        const double along = (x * std::cos(angle) + y * std::sin(angle)) / (length * unit);
        const double aside = (y * std::cos(angle) - x * std::sin(angle)) / (across * unit);
        kernel.at<float>(y + reach, x + reach) =
            static_cast<float>(std::exp(-0.5 * (along * along + aside * aside)));
      }
    }
    return kernel;
  }

  void draw_stroma() {
    const cv::Mat fibres = noise(tissue_.fibre_length, tissue_.fibre_width, tissue_.fibre_angle);
    stroma_ = 1 + tissue_.fibre_contrast * fibres;
    cv::max(stroma_, 0.1, stroma_);
  }

  // A ring of epithelium around a lumen; both dissolve as severity rises.
  void draw_glands() {
    const double s = tissue_.severity;
    const int glands = 5;
    for (int i = 0; i < glands; ++i) {
      const cv::Point2d centre(draws_.uniform(0, nuclei_.cols), draws_.uniform(0, nuclei_.rows));
      const double radius = draws_.uniform(13, 21) * scale_;
      const double squeeze = draws_.uniform(0.75, 1.0), turn = draws_.uniform(0, pi);
      const cv::Size axes(static_cast<int>(radius * 1.25),
                          static_cast<int>(radius * squeeze * 1.25));
      cv::ellipse(plasma_, centre, axes, turn * 180 / pi, 0, 360, cv::Scalar(150), cv::FILLED);
      const double lumen = between(0.62, 0.15, s) * radius;
      cv::ellipse(plasma_, centre,
                  cv::Size(static_cast<int>(lumen), static_cast<int>(lumen * squeeze)),
                  turn * 180 / pi, 0, 360, cv::Scalar(255), cv::FILLED);
      draw_ring(centre, radius, squeeze, turn);
    }
  }

  double nucleus_radius() const {
    return between(2.3, 4.1, tissue_.severity) * tissue_.nucleus_scale * scale_;
  }

  void draw_ring(cv::Point2d centre, double radius, double squeeze, double turn) {
    const double s = tissue_.severity, size = nucleus_radius();
    // As many as give the same area of nuclei whatever their size.
    const double area = 2 * pi * radius * 2.9 * scale_;
    const int count = std::max(3, static_cast<int>(area / (pi * size * size) + 0.5));
    const double spread = between(0.05, 0.45, s);
    for (int i = 0; i < count; ++i) {
      const double angle = 2 * pi * (i + spread * 2 * draws_.normal()) / count;
      const double reach = radius * std::abs(0.95 + spread * draws_.normal());
      const double x = reach * std::cos(angle), y = reach * squeeze * std::sin(angle);
      draw_nucleus({centre.x + x * std::cos(turn) - y * std::sin(turn),
                    centre.y + x * std::sin(turn) + y * std::cos(turn)});
    }
  }

  void draw_scattered_nuclei() {
    const double size = nucleus_radius();
    const double area = 0.05 * nuclei_.cols * nuclei_.rows;
    const int count = static_cast<int>(area / (pi * size * size) + 0.5);
    for (int i = 0; i < count; ++i) {
      draw_nucleus({draws_.uniform(0, nuclei_.cols), draws_.uniform(0, nuclei_.rows)});
    }
  }

  // An ellipse whose outline wobbles with severity.
  void draw_nucleus(cv::Point2d centre) {
    const double s = tissue_.severity;
    const double radius = nucleus_radius() * std::exp(between(0.06, 0.38, s) * draws_.normal());
    const double wobble = between(0.02, 0.22, s), stretch = draws_.uniform(1.0, 1.35);
    const double turn = draws_.uniform(0, pi), phase2 = draws_.uniform(0, 2 * pi),
                 phase3 = draws_.uniform(0, 2 * pi), strength = draws_.normal();
    std::vector<cv::Point> outline;
    for (int i = 0; i < 20; ++i) {
      const double angle = 2 * pi * i / 20;
      const double r = radius * (1 + wobble * (std::cos(2 * angle + phase2) * 0.5 +
                                               std::cos(3 * angle + phase3) * strength * 0.7));
      const double x = r * stretch * std::cos(angle), y = r / stretch * std::sin(angle);
      outline.emplace_back(cvRound(centre.x + x * std::cos(turn) - y * std::sin(turn)),
                           cvRound(centre.y + x * std::sin(turn) + y * std::cos(turn)));
    }
    const double dark = std::clamp(200 + 25 * draws_.normal(), 120.0, 255.0);
    cv::fillPoly(nuclei_, std::vector<std::vector<cv::Point>>{outline}, cv::Scalar(dark));
  }

  // Concentration maps, brought to their means, through Beer-Lambert to RGB.
  Image stain() {
    const cv::Size size(nuclei_.cols / fine, nuclei_.rows / fine);
    cv::Mat haematoxylin, eosin, lumen, cell;
    nuclei_.convertTo(haematoxylin, CV_32F, 1 / 255.0);
    cv::GaussianBlur(haematoxylin, haematoxylin, {}, 0.8);
    // 150: cytoplasm (even and paler than stroma), 255: lumen (almost nothing), 0: stroma.
    cv::Mat open = plasma_ == 255, inside = plasma_ == 150;
    open.convertTo(lumen, CV_32F, 1 / 255.0);
    inside.convertTo(cell, CV_32F, 1 / 255.0);
    eosin = stroma_.mul(1 - cell - lumen) + 0.75 * cell + 0.08 * lumen;
    eosin = eosin.mul(1 - 0.5 * haematoxylin);
    haematoxylin = haematoxylin + 0.06;
    cv::resize(haematoxylin, haematoxylin, size, 0, 0, cv::INTER_AREA);
    cv::resize(eosin, eosin, size, 0, 0, cv::INTER_AREA);
    haematoxylin *= tissue_.haematoxylin_amount / cv::mean(haematoxylin)[0];
    eosin *= tissue_.eosin_amount / cv::mean(eosin)[0];
    return to_rgb(haematoxylin, eosin);
  }

  Image to_rgb(const cv::Mat& haematoxylin, const cv::Mat& eosin) {
    Image image(eosin.rows, eosin.cols);
    std::uint8_t* out = image.rgb.data();
    for (int y = 0; y < eosin.rows; ++y) {
      for (int x = 0; x < eosin.cols; ++x) {
        const double h = haematoxylin.at<float>(y, x), e = eosin.at<float>(y, x);
        const double grain = 2.0 * draws_.normal();
        for (std::size_t c = 0; c < 3; ++c) {
          const double density = h * tissue_.haematoxylin[c] + e * tissue_.eosin[c];
          const double value = 250 * std::exp(-density) + grain;
          *out++ = static_cast<std::uint8_t>(std::clamp(value + 0.5, 0.0, 255.0));
        }
      }
    }
    return image;
  }

  const Tissue& tissue_;
  Draws draws_;
  double scale_;  // drawn pixels per pixel at the design width
  cv::Mat nuclei_, plasma_, stroma_;
};

}  // namespace

Image draw_tissue(const Tissue& tissue, int width, int height, const Stream& stream) {
  return Canvas(tissue, width, height, stream).draw();
}

}  // namespace bcx::data::images
