#include "config/resolve.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "config/schema.h"
#include "config/validate.h"

namespace bcx::config {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t longest_name = 64;  // of a key worth comparing with others

std::string dotted(std::string_view prefix, std::string_view name) {
  return prefix.empty() ? std::string(name) : fmt::format("{}.{}", prefix, name);
}

std::string brackets(const Section& section) {
  return section.repeated ? "[[" + section.name + "]]" : "[" + section.name + "]";
}

/// The names that may follow `prefix` in a dotted section name: "split" and "audit" after "data".
std::vector<std::string> subsections(std::string_view prefix) {
  std::vector<std::string> names;
  for (const auto& section : schema()) {
    std::string_view name = section.name;
    if (!prefix.empty()) {
      if (!name.starts_with(std::string(prefix) + ".")) continue;
      name.remove_prefix(prefix.size() + 1);
    }
    const std::string next(name.substr(0, name.find('.')));
    if (std::find(names.begin(), names.end(), next) == names.end()) names.push_back(next);
  }
  return names;
}

/// The one section that has a key of this name, when it is not to be found where it was written.
const Section* owner_of(std::string_view key) {
  const Section* owner = nullptr;
  for (const auto& section : schema()) {
    if (!find_param(section, key)) continue;
    if (owner) return nullptr;
    owner = &section;
  }
  return owner;
}

class Resolver {
 public:
  Resolver(const Node& root, const Catalog& catalog, const Places& places, Problems& problems)
      : root_(root), catalog_(catalog), places_(places), problems_(problems) {}

  Resolution run() {
    check_root();
    for (const auto& section : schema())
      section.repeated ? list_section(section) : table_section(section);
    add_moving_average();
    return std::move(result_);
  }

 private:
  // What stands at the top level that is no section.
  void check_root() {
    const auto known = subsections("");
    for (const auto& entry : root_.entries) {
      if (std::find(known.begin(), known.end(), entry.key) != known.end()) continue;
      if (entry.key == "sweep")
        problems_.add(entry.origin, "this is a sweep file", "use bcx sweep run FILE");
      else if (entry.value.is_table() || entry.value.is_table_list())
        problems_.add(entry.origin,
                      fmt::format("unknown section [{}]", printable(clip(entry.key, 60))),
                      suggestion(entry.key, known));
      else
        unknown_key(entry, "at the top", {});
    }
  }

  void table_section(const Section& section) {
    const Node* table = find_table(section);
    const ComponentSpec* component = nullptr;
    bool any_key = false;  // of a component that is not known
    const std::string key =
        section.component == ComponentKind::backbone ? "model.backbone" : section.name + ".name";
    take_all(section.params, table, section.name, Origin::Kind::schema_default, table);
    if (section.component) {
      component = find_component(*section.component, key);
      any_key = !component;
    }
    if (component) {
      take_all(component->params, table, section.name, Origin::Kind::manifest_default, table);
      check_order(*component, section.name);
      add_component(*component, component->name, section.name, section);
    }
    if (table) check_keys(*table, section, component, any_key);
  }

  void list_section(const Section& section) {
    const Node* list = find_path(section.name);
    if (!list) return;
    if (!list->is_list())
      return problems_.add(list->origin,
                           fmt::format("expected {}, got {}", brackets(section), describe(*list)),
                           list->is_table() ? "write it in double brackets" : "");
    std::map<std::string, int> counts;
    for (std::size_t i = 0; i < list->items.size(); ++i) {
      const Node& item = list->items[i];
      if (!item.is_table())
        problems_.add(item.origin, fmt::format("expected a table of {}, got {}", brackets(section),
                                               describe(item)));
      else if (section.component)
        element(section, item, counts);
      else
        plain_element(section, item, ++counts[""]);
    }
    if (!section.component) result_.counts[section.name] = list->items.size();
  }

  void plain_element(const Section& section, const Node& item, int number) {
    take_all(section.params, &item, fmt::format("{}.#{}", section.name, number),
             Origin::Kind::schema_default, &item);
    check_keys(item, section, nullptr, false);
  }

  void element(const Section& section, const Node& item, std::map<std::string, int>& counts) {
    const Node* said = item.find("name");
    const std::string name = said && said->kind == Node::Kind::string ? said->text : "";
    const int count = ++counts[name];
    const std::string instance =
        name.empty() || count > 1 ? fmt::format("{}#{}", name, count) : name;
    const std::string prefix = dotted(section.name, instance);
    take_all(section.params, &item, prefix, Origin::Kind::schema_default, &item);
    const auto* component = find_component(*section.component, prefix + ".name");
    if (component) {
      take_all(component->params, &item, prefix, Origin::Kind::manifest_default, &item);
      check_order(*component, prefix);
      if (result_.get<bool>(prefix + ".enabled"))
        add_component(*component, instance, prefix, section);
    }
    check_keys(item, section, component, !component);
  }

  // One key after another.
  void take_all(const std::vector<ParamSpec>& specs, const Node* table, const std::string& prefix,
                Origin::Kind defaults, const Node* place) {
    for (const auto& spec : specs) {
      const std::string key = dotted(prefix, spec.name);
      if (result_.find(key) || result_.wrong.count(key) > 0)
        continue;  // the host's key hides a component's
      const Node* node = table ? table->find(spec.name) : nullptr;
      node ? take(spec, key, *node) : take_default(spec, key, defaults, place);
    }
  }

  void take(const ParamSpec& spec, const std::string& key, const Node& node) {
    Checked checked = check_value(spec, node);
    if (!checked.value) {
      result_.wrong.insert(key);
      return problems_.add(node.origin, fmt::format("{}: {}", printable(key), checked.mistake.what),
                           checked.mistake.remedy);
    }
    add(spec, key, std::move(*checked.value), node.origin);
  }

  void take_default(const ParamSpec& spec, const std::string& key, Origin::Kind kind,
                    const Node* place) {
    if (spec.default_value) {
      Origin origin;
      origin.kind = kind;
      return add(spec, key, *spec.default_value, origin);
    }
    result_.wrong.insert(key);
    problems_.add(place ? place->origin : file_origin(),
                  fmt::format("{} is missing, expected {}", printable(key), expectation(spec)),
                  key == "data.root" ? "set it, or BCX_DATA" : "");
  }

  void add(const ParamSpec& spec, const std::string& key, Value value, const Origin& origin) {
    if (key == "experiment.name" && value == Value(std::string()))
      value = places_.file.stem().string();
    // What a plugin's own relative default is relative to, only the plugin knows.
    if (origin.kind != Origin::Kind::manifest_default)
      value = with_paths(spec, key, std::move(value), origin);
    result_.add({key, std::move(value), origin, spec.type});
  }

  /// Paths made absolute. The tracker belongs to where one works, not to a file that many
  /// experiments extend.
  Value with_paths(const ParamSpec& spec, const std::string& key, Value value,
                   const Origin& said) const {
    const Origin origin = key == "tracker.path" ? Origin{} : said;
    const auto is_word = [&](const std::string& text) {
      return std::find(spec.choices.begin(), spec.choices.end(), Value(text)) != spec.choices.end();
    };
    if (spec.type == Type::path) {
      auto& text = std::get<std::string>(value);
      if (!is_word(text)) text = absolute_path(text, origin, places_);
    } else if (spec.type == Type::paths) {
      for (auto& text : std::get<std::vector<std::string>>(value))
        text = absolute_path(text, origin, places_);
    }
    return value;
  }

  // Components.
  const ComponentSpec* find_component(ComponentKind kind, const std::string& key) {
    const auto* entry = result_.find(key);
    if (!entry) return nullptr;
    const std::string name = std::get<std::string>(entry->value);
    const auto* found = catalog_.find(kind, name);
    if (found) return found;
    result_.wrong.insert(key);
    const Origin at =
        entry->origin.kind == Origin::Kind::schema_default ? file_origin() : entry->origin;
    const std::string what = fmt::format("{}: unknown {} \"{}\"", printable(key), name_of(kind),
                                         printable(clip(name, 60)));
    problems_.add(at, Error(ExitCode::plugin, {what, at.text(), component_remedy(kind, name)}));
    return nullptr;
  }

  std::string component_remedy(ComponentKind kind, const std::string& name) const {
    for (const auto& section : schema())
      if (section.component && section.component != kind && catalog_.find(*section.component, name))
        return fmt::format("it is a component of {}", brackets(section));
    const std::string near = suggestion(name, catalog_.names(kind));
    return (near.empty() ? "" : near + " ") + "see bcx plugins list";
  }

  /// Parameters that must not exceed others.
  void check_order(const ComponentSpec& spec, const std::string& prefix) {
    for (const auto& param : spec.params) {
      if (param.at_most.empty()) continue;
      const auto* low = result_.find(dotted(prefix, param.name));
      const auto* high = result_.find(dotted(prefix, param.at_most));
      if (!low || !high || number_of(low->value) <= number_of(high->value)) continue;
      const bool by_default = low->origin.kind == Origin::Kind::manifest_default;
      problems_.add((by_default ? high : low)->origin,
                    fmt::format("{}: expected at most {}, which is {}, got {}", printable(low->key),
                                param.at_most, to_toml(high->value), to_toml(low->value)));
    }
  }

  static double number_of(const Value& value) {
    const auto* integer = std::get_if<std::int64_t>(&value);
    return integer ? static_cast<double>(*integer) : std::get<double>(value);
  }

  void add_component(const ComponentSpec& spec, const std::string& instance,
                     const std::string& prefix, const Section& section) {
    Component component;
    component.kind = spec.kind;
    component.name = spec.name;
    component.instance = instance;
    component.plugin = spec.plugin;
    for (const auto& param : spec.params)
      if (const auto* entry = result_.find(dotted(prefix, param.name));
          entry && !find_param(section, param.name))
        component.params[param.name] = entry->value;
    result_.components[*section.component].push_back(std::move(component));
  }

  /// train.ema_decay is short for the callback ema.
  void add_moving_average() {
    const auto* entry = result_.find("train.ema_decay");
    if (!entry || std::get<double>(entry->value) <= 0) return;
    const auto* spec = catalog_.find(ComponentKind::callback, "ema");
    if (!spec)
      return problems_.add(entry->origin,
                           "train.ema_decay: needs the callback ema, which is not there",
                           "see bcx plugins list");
    Component component;
    component.kind = ComponentKind::callback;
    component.name = component.instance = spec->name;
    component.plugin = spec->plugin;
    for (const auto& param : spec->params)
      if (param.default_value) component.params[param.name] = *param.default_value;
    component.params["decay"] = entry->value;
    result_.components[ComponentKind::callback].push_back(std::move(component));
  }

  // Keys that nobody knows.
  void check_keys(const Node& table, const Section& section, const ComponentSpec* component,
                  bool any_key) {
    const auto below = section.repeated ? std::vector<std::string>{} : subsections(section.name);
    for (const auto& entry : table.entries) {
      const auto is_named = [&](const ParamSpec& spec) { return spec.name == entry.key; };
      if (find_param(section, entry.key)) continue;
      if (component && std::any_of(component->params.begin(), component->params.end(), is_named))
        continue;
      if (std::find(below.begin(), below.end(), entry.key) != below.end()) continue;
      if (any_key && !entry.value.is_table()) continue;
      std::vector<std::string> known = below;
      for (const auto& spec : section.params) known.push_back(spec.name);
      if (component)
        for (const auto& spec : component->params) known.push_back(spec.name);
      unknown_key(entry,
                  component ? fmt::format("of {} in {}", component->name, brackets(section))
                            : "in " + brackets(section),
                  known);
    }
  }

  void unknown_key(const Node::Entry& entry, const std::string& where,
                   const std::vector<std::string>& known) {
    std::string remedy = suggestion(entry.key, known);
    if (const Section* owner = owner_of(entry.key); owner && remedy.empty())
      remedy = fmt::format("it belongs in {}", brackets(*owner));
    if (remedy.empty() && !known.empty() && known.size() <= 12)
      remedy = "known are " + join(known, ", ");
    problems_.add(entry.origin,
                  fmt::format("unknown key \"{}\" {}", printable(clip(entry.key, 60)), where),
                  remedy);
  }

  static std::string suggestion(const std::string& word, const std::vector<std::string>& known) {
    return word.size() > longest_name ? std::string{} : did_you_mean(word, known);
  }

  // Places.
  const Node* find_path(std::string_view name) const {
    const Node* node = &root_;
    for (const auto& part : split(name, '.')) {
      node = node->find(part);
      if (!node) return nullptr;
    }
    return node;
  }

  const Node* find_table(const Section& section) {
    const Node* node = find_path(section.name);
    if (!node || node->is_table()) return node;
    problems_.add(node->origin,
                  fmt::format("expected the table {}, got {}", brackets(section), describe(*node)),
                  node->is_table_list() ? "write it in single brackets" : "");
    return nullptr;
  }

  Origin file_origin() const {
    Origin origin;
    origin.kind = Origin::Kind::file;
    origin.file = places_.file.string();
    return origin;
  }

  const Node& root_;
  const Catalog& catalog_;
  const Places& places_;
  Problems& problems_;
  Resolution result_;
};

}  // namespace

void Resolution::add(Experiment::Resolved entry) {
  index_.emplace(entry.key, entries.size());
  entries.push_back(std::move(entry));
}

const Experiment::Resolved* Resolution::find(std::string_view key) const {
  const auto found = index_.find(key);
  return found == index_.end() ? nullptr : &entries[found->second];
}

Resolution resolve(const Node& root, const Catalog& catalog, const Places& places,
                   Problems& problems) {
  return Resolver(root, catalog, places, problems).run();
}

std::string absolute_path(const std::string& value, const Origin& origin, const Places& places) {
  if (value.empty()) return value;
  const fs::path base = origin.kind == Origin::Kind::file
                            ? places.working_directory / fs::path(origin.file).parent_path()
                            : places.working_directory;
  return (base / value).lexically_normal().string();
}

}  // namespace bcx::config
