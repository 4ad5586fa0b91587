#include "report/pictures.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "data/images.h"
#include "data/images/api.h"
#include "report/html.h"
#include "tracker/beneath.h"

namespace bcx::report {
namespace {

constexpr std::int64_t thumbnail_width = 128, tallest = 192;
constexpr std::uintmax_t largest_map = 16u << 20, largest_sidecar = 4u << 20;

/// Smaller, as JPEG: a few kilobytes each. `aspect`: width over height that it is shown with; 0:
/// its own.
std::string address_of(data::ImageView image, double aspect = 0) {
  if (aspect > 0) {
    const auto height = std::lround(static_cast<double>(image.width) / aspect);
    data::Image shaped(std::max<std::int64_t>(1, height), image.width);
    data::images::api().resize(image, shaped.rgb.data(), shaped.height, shaped.width,
                               data::Interpolation::area);
    return address_of(shaped.view());
  }
  const double scale =
      std::min({1.0, static_cast<double>(thumbnail_width) / static_cast<double>(image.width),
                static_cast<double>(tallest) / static_cast<double>(image.height)});
  const auto side = [&](std::int64_t whole) {
    return std::max<std::int64_t>(1, std::lround(scale * static_cast<double>(whole)));
  };
  data::Image small(side(image.height), side(image.width));
  data::images::api().resize(image, small.rgb.data(), small.height, small.width,
                             data::Interpolation::area);
  const auto bytes = data::encode_jpeg(small.view());
  return "data:image/jpeg;base64," +
         base64({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

double aspect_of(data::ImageView image) {
  return static_cast<double>(image.width) / static_cast<double>(image.height);
}

std::string read_beneath(const std::filesystem::path& folder, const std::string& path,
                         std::uintmax_t limit) {
  const tracker::Descriptor file(tracker::Beneath(folder).open_for_reading(path));
  std::string bytes;
  tracker::read_pieces(file.get(), folder / path, [&](std::span<const std::byte> piece) {
    if (bytes.size() + piece.size() > limit)
      throw Error(ExitCode::data, {"is too large", (folder / path).string(), ""});
    bytes.append(reinterpret_cast<const char*>(piece.data()), piece.size());
  });
  return bytes;
}

std::string text_of(const nlohmann::json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

}  // namespace

Pictures::Pictures(const tracker::DatasetRow& dataset, const std::filesystem::path& root)
    : root_(root.empty() ? std::filesystem::path(dataset.root) : root),
      packed_(std::filesystem::is_regular_file(root_)),
      wanted_(true) {}

void Pictures::open_pack() {
  if (pack_) return;
  pack_ = data::load_packed(root_, /*verify=*/false);
  for (std::size_t i = 0; i < pack_->table.samples.size(); ++i)
    position_[pack_->table.samples[i].relative] = i;
}

Pictures::Picture Pictures::load(const std::string& name) {
  if (packed_) {
    open_pack();
    const auto found = position_.find(name);
    if (found == position_.end())
      throw Error(ExitCode::data, {"is not in the packed file", name, ""});
    const auto& pixels = pack_->pixels.view();
    const data::ImageView image{pixels.image(static_cast<std::int64_t>(found->second)),
                                pixels.height, pixels.width};
    return {address_of(image), aspect_of(image)};
  }
  if (!tracker::is_plain_path(name))
    throw Error(ExitCode::data, {"is no path below the data's folder", name, ""});
  const auto whole = data::read_image(root_ / name);
  return {address_of(whole.image.view()), aspect_of(whole.image.view())};
}

const Pictures::Picture& Pictures::picture(const std::string& name) {
  static const Picture none;
  if (!wanted_) return none;
  const auto found = known_.find(name);
  if (found != known_.end()) return found->second;
  Picture picture;
  try {
    picture = load(name);
  } catch (const std::exception& error) {
    if (missing_++ == 0) reason_ = error.what();
  }
  return known_[name] = std::move(picture);
}

Explanations::Explanations(const tracker::Reader& reader, const Study& study)
    : folder_(reader.folder()) {
  const auto resize = study.run.params.find("data.resize");
  stretched_ = resize == study.run.params.end() ||
               resize->second.value == tracker::ParamValue(std::string("stretch"));
  for (const auto& one : study.artifacts)
    if (one.kind == "explain" && one.path.ends_with(".json")) read(reader, study, one);
}

void Explanations::read(const tracker::Reader& reader, const Study& study,
                        const tracker::ArtifactRow& sidecar) {
  nlohmann::json json;
  try {
    json = nlohmann::json::parse(read_beneath(reader.folder(), sidecar.path, largest_sidecar),
                                 nullptr, false);
  } catch (const Error&) {
    return;  // the file was tidied away
  }
  if (!json.is_object() || !json.contains("maps") || !json["maps"].is_array()) return;
  if (const auto method = text_of(json, "method"); !method.empty()) method_ = method;
  if (const auto sanity = json.find("sanity"); sanity != json.end() && sanity->is_object())
    if (const auto value = sanity->find("correlation");
        value != sanity->end() && value->is_number())
      sanity_ = value->get<double>();
  const auto folder = sidecar.path.substr(0, sidecar.path.rfind('/') + 1);
  for (const auto& one : json["maps"]) {
    if (!one.is_object()) continue;
    const auto id = text_of(one, "sample"), file = text_of(one, "file");
    std::uint64_t sample = 0;
    const auto [end, failed] = std::from_chars(id.data(), id.data() + id.size(), sample, 16);
    if (failed != std::errc{} || end != id.data() + id.size() || id.empty()) continue;
    for (const auto& artifact : study.artifacts)
      if (artifact.name == file || artifact.path == folder + file)
        maps_[sample] = {artifact.path, text_of(one, "class"), text_of(one, "name")};
  }
}

std::string Explanations::address(std::uint64_t sample, double aspect) const {
  const auto found = maps_.find(sample);
  if (found == maps_.end()) return {};
  try {
    const auto bytes = read_beneath(folder_, found->second.file, largest_map);
    return address_of(data::decode_image(std::as_bytes(std::span(bytes))).image.view(),
                      stretched_ ? aspect : 0);
  } catch (const std::exception&) {
    return {};
  }
}

}  // namespace bcx::report
