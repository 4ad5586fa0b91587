#include "engine/preprocess.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/signals.h"
#include "base/text.h"

namespace bcx::engine {
namespace {

sdk::Picture picture_of(data::Image& image) {
  return {image.rgb, image.height, image.width};
}

class TrainingImages final : public sdk::TrainingPictures {
 public:
  using Before = std::function<void(data::Image&)>;
  TrainingImages(std::span<const std::int64_t> indexes, const ImageReader& read, Before before)
      : indexes_(indexes), read_(read), before_(std::move(before)) {}

  std::int64_t size() const override { return static_cast<std::int64_t>(indexes_.size()); }

  sdk::Picture read(std::int64_t index) override {
    throw_if_stopped("fitting the preprocessing");
    try {
      image_ = read_(indexes_[static_cast<std::size_t>(index)]);
    } catch (const Error& error) {
      if (error.code() != ExitCode::data) throw;
      image_ = {};  // decoding comes to it and says so
      return {};
    }
    before_(image_);
    return picture_of(image_);
  }

 private:
  std::span<const std::int64_t> indexes_;
  const ImageReader& read_;
  Before before_;
  data::Image image_;
};

}  // namespace

Preprocessing::Preprocessing(const std::vector<config::Component>& components,
                             const plugin::PluginCatalog& catalog)
    : parts_(std::make_shared<std::vector<Part>>()) {
  for (const auto& component : components) {
    auto built = build_preprocess(component, catalog);
    const std::string name = built.site.component, version = built.site.version;
    parts_->push_back(
        {component.instance, name, version, std::move(built.object), std::move(built.site)});
  }
}

void Preprocessing::prepare(std::span<const std::int64_t> training, const ImageReader& read,
                            const nlohmann::json& states) {
  for (std::size_t i = 0; i < parts_->size(); ++i) {
    auto& part = (*parts_)[i];
    if (states.contains(part.instance)) {
      const auto text = states.at(part.instance).get<std::string>();
      part.site("restoring its state", [&] { part.object->load_state(text); });
      continue;
    }
    TrainingImages images(training, read, [&](data::Image& image) {
      for (std::size_t k = 0; k < i; ++k) (*parts_)[k].object->apply(picture_of(image));
    });
    part.site("fitting it on the training images", [&] { part.object->fit(images); });
  }
}

nlohmann::json Preprocessing::states() const {
  auto states = nlohmann::json::object();
  for (const auto& part : *parts_)
    states[part.instance] = part.site("reading its state", [&] { return part.object->state(); });
  return states;
}

data::PreprocessHook Preprocessing::hook() const {
  if (empty()) return {};
  data::PreprocessHook hook;
  const auto now = states();
  for (const auto& part : *parts_)
    hook.state += fmt::format("{} {} {}\n", part.name, part.version,
                              now.at(part.instance).get<std::string>());
  hook.apply = [parts = parts_](data::Image& image) {
    std::vector<std::string> left_alone;
    for (const auto& part : *parts) {
      const std::string why = part.site("applying it to an image",
                                        [&] { return part.object->apply(picture_of(image)); });
      if (!why.empty()) left_alone.push_back(fmt::format("{}: {}", part.instance, why));
    }
    return join(left_alone, "; ");
  };
  return hook;
}

}  // namespace bcx::engine
