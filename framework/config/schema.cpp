#include "config/schema.h"

#include <algorithm>

#include "config/schema_key.h"

namespace bcx::config {

Section component_list(ComponentKind kind, std::string doc) {
  const std::string name(name_of(kind));
  Section section{name,
                  std::move(doc),
                  {Key("name", Type::string, "The component: see `bcx plugins list`."),
                   Key("enabled", Type::boolean, "false: as if it were not there.").with(true)}};
  section.repeated = true;
  section.component = kind;
  return section;
}

const std::vector<Section>& schema() {
  static const std::vector<Section> sections = [] {
    std::vector<Section> all;
    for (auto&& part : {data_sections(), model_sections(), train_sections()})
      all.insert(all.end(), part.begin(), part.end());
    return all;
  }();
  return sections;
}

const Section* find_section(std::string_view name) {
  const auto& all = schema();
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const Section& one) { return one.name == name; });
  return found == all.end() ? nullptr : &*found;
}

const ParamSpec* find_param(const Section& section, std::string_view key) {
  for (const auto& spec : section.params)
    if (spec.name == key) return &spec;
  return nullptr;
}

}  // namespace bcx::config
