#include "data/demo.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cmath>
#include <cstddef>
#include <exception>
#include <fstream>
#include <mutex>
#include <numbers>
#include <thread>
#include <vector>

#include "base/error.h"
#include "base/philox.h"
#include "base/processors.h"
#include "base/signals.h"
#include "base/text.h"
#include "data/breakhis.h"
#include "data/images/api.h"

namespace bcx::data {
namespace {

namespace fs = std::filesystem;

// How far the classes' structures lie apart, and what blurs the difference. With these numbers a
// network that sees the structure alone is right about nine times in ten on new patients, and one
// that has seen the patient before can be right nearly always.
constexpr double class_distance = 0.38;     // severity of a class from the middle, 0.5
constexpr double patient_deviation = 0.15;  // of severity, at a patient effect of 1
constexpr double image_deviation = 0.09;

// Haematoxylin and eosin as A. Ruifrok and D. Johnston measured them ("Quantification of
// histochemical staining by color deconvolution", 2001).
constexpr std::array<double, 3> haematoxylin{0.65, 0.70, 0.29}, eosin{0.07, 0.99, 0.11};

void check_range(std::int64_t value, std::int64_t low, std::int64_t high, const char* option) {
  if (value >= low && value <= high) return;
  throw Error(ExitCode::usage, {fmt::format("{} is out of range", value), option,
                                fmt::format("use {} to {}", grouped(low), grouped(high))});
}

void check(const DemoOptions& options) {
  check_range(options.patients, 2, 2000, "--patients");
  check_range(options.images, options.patients, 200'000, "--images");
  if (options.images > 999 * options.patients) {
    throw Error(ExitCode::usage, {"more than 999 images a patient", "--images",
                                  "BreakHis's names count to 999: use more --patients"});
  }
  check_range(options.size, 64, 700, "--size");
  if (!(options.patient_effect >= 0 && options.patient_effect <= 3)) {
    throw Error(ExitCode::usage,
                {fmt::format("{} is out of range", shortest(options.patient_effect)),
                 "--patient-effect", "use 0.0 to 3.0"});
  }
}

// What all pictures of one patient share.
struct Patient {
  images::Tissue tissue;  // severity: the patient's own
  bool malignant = false;
};

// How far patient `index` lies from its class, in standard deviations: evenly spaced values dealt
// to the class's patients, so that a handful of them is no lucky or unlucky draw.
double patient_offset(const DemoOptions& options, std::int64_t index) {
  const std::int64_t malignant = index % 2, members = (options.patients + 1 - malignant) / 2;
  const Stream stream(options.seed, "demo.offset", 0, static_cast<std::uint64_t>(malignant));
  const auto place = permutation(stream, members)[static_cast<std::size_t>(index / 2)];
  const double at = (2.0 * static_cast<double>(place) + 1) / static_cast<double>(members) - 1;
  return at * std::numbers::sqrt3;  // uniform in -1..1 has a deviation of 1 / sqrt 3
}

Patient draw_patient(const DemoOptions& options, std::int64_t index) {
  const Stream stream(options.seed, "demo.patient", 0, static_cast<std::uint64_t>(index));
  const double effect = options.patient_effect;
  std::uint64_t next = 0;
  const auto normal = [&] { return std::clamp(stream.normal(next++), -2.5, 2.5) * effect; };
  Patient patient;
  patient.malignant = index % 2 == 1;
  images::Tissue& tissue = patient.tissue;
  tissue.severity = 0.5 + (patient.malignant ? class_distance : -class_distance) +
                    patient_deviation * effect * patient_offset(options, index);
  tissue.nucleus_scale = std::exp(0.06 * normal());
  for (std::size_t c = 0; c < 3; ++c) {
    tissue.haematoxylin[c] = haematoxylin[c] * std::exp(0.14 * normal());
    tissue.eosin[c] = eosin[c] * std::exp(0.14 * normal()) + 0.03 * std::abs(normal());
  }
  tissue.haematoxylin_amount = 0.42 * std::exp(0.12 * normal());
  tissue.eosin_amount = 0.34 * std::exp(0.12 * normal());
  tissue.fibre_angle = std::numbers::pi / 4 * normal();
  tissue.fibre_length = 8 * std::exp(0.35 * normal());
  tissue.fibre_width = 2.4 * std::exp(0.25 * normal());
  tissue.fibre_contrast = 0.28 * std::exp(0.3 * normal());
  return patient;
}

// Patient `index`'s names: case numbers as BreakHis writes them. Every third patient has two
// slides (AB and CD), which only a split by case keeps together.
BreakHisName name_of_image(const DemoOptions& options, const Patient& patient, std::int64_t index,
                           std::int64_t picture) {
  constexpr std::array<const char*, 4> benign{"A", "F", "PT", "TA"},
      malignant{"DC", "LC", "MC", "PC"};
  const auto type = static_cast<std::size_t>(index / 2 % 4);
  BreakHisName name;
  name.malignant = patient.malignant;
  name.type = patient.malignant ? malignant[type] : benign[type];
  name.year = "14";
  // Distinct and in no order of the classes: 7,919 is prime to 80,000.
  const auto number =
      10'000 + (static_cast<std::int64_t>(options.seed % 80'000) + index * 7'919) % 80'000;
  name.number = std::to_string(number);
  const bool two_slides = index % 3 == 2;
  name.letters = two_slides && picture % 2 == 1 ? "CD" : "AB";
  name.magnification = "100";
  name.sequence = fmt::format("{:03}", picture / (two_slides ? 2 : 1) + 1);
  return name;
}

// Not as an AtomicFile: hundreds of fsyncs would take longer than the drawing, and what is lost in
// a crash is drawn again.
void write_plainly(const fs::path& file, const std::vector<std::byte>& bytes) {
  std::ofstream out(file, std::ios::binary);
  out.write(reinterpret_cast<const char*>(bytes.data()),
            static_cast<std::streamsize>(bytes.size()));
  out.close();
  if (out) return;
  throw Error(ExitCode::storage, {"cannot be written (" + system_message(errno) + ")",
                                  printable(file.string()), "check the disk's space"});
}

void refuse_full_folder(const fs::path& root) {
  std::error_code error;
  if (!fs::exists(root, error)) return;
  if (fs::is_directory(root, error) && fs::is_empty(root, error)) return;
  throw Error(ExitCode::data, {"exists and is not an empty folder", printable(root.string()),
                               "name a new folder, or remove this one"});
}

}  // namespace

DemoImage draw_demo_image(const DemoOptions& options, std::int64_t index) {
  check(options);
  const std::int64_t of = index % options.patients, picture = index / options.patients;
  const Patient patient = draw_patient(options, of);
  const Stream stream(options.seed, "demo.image", 0, static_cast<std::uint64_t>(index));
  images::Tissue tissue = patient.tissue;
  tissue.severity +=
      image_deviation *
      std::clamp(
          Stream(options.seed, "demo.severity", 0, static_cast<std::uint64_t>(index)).normal(0),
          -2.5, 2.5);
  DemoImage drawn;
  drawn.relative = name_of_image(options, patient, of, picture).relative_path();
  drawn.label = patient.malignant ? 1 : 0;
  drawn.image = images::api().draw_tissue(tissue, static_cast<int>(options.size),
                                          static_cast<int>(options.size * 23 / 35), stream);
  return drawn;
}

void write_demo(const fs::path& root, const DemoOptions& options,
                const std::function<void(std::int64_t)>& progress, int threads) {
  check(options);
  refuse_full_folder(root);
  std::atomic<std::int64_t> next{0};
  std::int64_t done = 0;
  std::mutex mutex;
  std::exception_ptr failure;
  const auto work = [&] {
    try {
      for (std::int64_t i = next++; i < options.images; i = next++) {
        throw_if_stopped("demo");
        const auto drawn = draw_demo_image(options, i);
        const fs::path file = root / drawn.relative;
        std::error_code error;
        fs::create_directories(file.parent_path(), error);
        if (error) {
          throw Error(ExitCode::storage, {"cannot be made (" + error.message() + ")",
                                          printable(file.parent_path().string()), ""});
        }
        write_plainly(file, encode_png(drawn.image.view()));
        const std::lock_guard lock(mutex);
        ++done;
        if (progress) progress(done);
      }
    } catch (...) {
      next = options.images;
      const std::lock_guard lock(mutex);
      if (!failure) failure = std::current_exception();
    }
  };
  if (threads <= 0) threads = usable_cores();
  std::vector<std::thread> workers;
  for (int i = 0; i < threads; ++i) workers.emplace_back(work);
  for (auto& worker : workers) worker.join();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace bcx::data
