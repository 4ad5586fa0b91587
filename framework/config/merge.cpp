#include "config/merge.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/paths.h"
#include "base/text.h"

namespace bcx::config {
namespace {

namespace fs = std::filesystem;

/// More than any sensible experiment has; stops files that extend the next one twice.
constexpr int max_files = 64;

void add_items(Node& base, std::string_view key, const Node& list, const Origin& origin) {
  Node* target = base.find(key);
  if (!target || !target->is_list()) {
    Node empty;
    empty.kind = Node::Kind::list;
    empty.origin = list.origin;
    base.set(key, std::move(empty), origin);
    target = base.find(key);
  }
  target->items.insert(target->items.end(), list.items.begin(), list.items.end());
}

void merge_table(Node& base, const Node::Entry& entry) {
  Node* target = base.find(entry.key);
  if (!target || !target->is_table()) {
    Node empty;
    empty.origin = entry.value.origin;
    base.set(entry.key, std::move(empty), entry.origin);
    target = base.find(entry.key);
  }
  merge(*target, entry.value);
}

class Reader {
 public:
  Reader(const fs::path& working_directory, Problems& problems)
      : working_directory_(working_directory), problems_(problems) {}

  /// `shown` is the path as the user would write it.
  Node read(const fs::path& shown) {
    const fs::path real = fs::weakly_canonical(working_directory_ / shown);
    problems_.know_file(shown.string());
    stack_.push_back(real);
    Node result = merged(shown, real);
    stack_.pop_back();
    return result;
  }

  Sources sources;

 private:
  Node merged(const fs::path& shown, const fs::path& real) {
    Node own;
    try {
      std::string text = read_text(real, DocumentLimits{}.bytes, ExitCode::usage);
      own = parse_document(text, shown.string());
      if (stack_.size() == 1) sources.main_text = std::move(text);
    } catch (const Error& error) {
      return failed(shown, error);
    }
    Node base;
    base.origin = own.origin;
    if (const Node* list = own.find("extends"))
      for (const Node* one : extended(*list)) extend(base, *one, shown);
    own.erase("extends");
    merge(base, own);
    return base;
  }

  Node failed(const fs::path& shown, const Error& error) {
    sources.failed = true;
    Origin origin;
    origin.kind = Origin::Kind::file;
    origin.file = shown.string();
    const bool placed = error.parts().where.rfind(printable(shown.string()) + ":", 0) == 0;
    problems_.add(origin, placed ? error
                                 : Error(error.code(), {error.parts().what, origin.text(),
                                                        error.parts().remedy}));
    return {};
  }

  std::vector<const Node*> extended(const Node& list) {
    std::vector<const Node*> names;
    if (list.is_list())
      for (const auto& item : list.items) names.push_back(&item);
    else
      names.push_back(&list);
    return names;
  }

  void extend(Node& base, const Node& name, const fs::path& shown) {
    if (name.kind != Node::Kind::string || name.text.empty() ||
        name.text.find('\0') != std::string::npos)
      return refuse(name, fmt::format("extends: expected a path, got {}", describe(name)));
    if (++files_ > max_files)
      return refuse(name, fmt::format("extends: more than {} files", max_files));
    const fs::path next = (shown.parent_path() / name.text).lexically_normal();
    const fs::path real = fs::weakly_canonical(working_directory_ / next);
    const auto seen = std::find(stack_.begin(), stack_.end(), real);
    if (seen != stack_.end())
      return refuse(name, fmt::format("extends: {} extends itself{}", describe(name),
                                      stack_.end() - seen > 1 ? " through other files" : ""));
    std::error_code ignored;
    if (!fs::is_regular_file(real, ignored))
      return refuse(name, fmt::format("extends: no such file {}", describe(name)),
                    "a relative path starts at the file that says it");
    merge(base, read(next));
  }

  void refuse(const Node& name, std::string what, std::string remedy = {}) {
    sources.failed = true;
    problems_.add(name.origin, std::move(what), std::move(remedy));
  }

  fs::path working_directory_;
  Problems& problems_;
  std::vector<fs::path> stack_;
  int files_ = 1;
};

}  // namespace

const Node* appended_list(const Node& node) {
  if (!node.is_table() || node.entries.size() != 1 || node.entries[0].key != "append")
    return nullptr;
  const Node& list = node.entries[0].value;
  return list.is_list() ? &list : nullptr;
}

void merge(Node& base, const Node& over) {
  for (const auto& entry : over.entries) {
    if (const Node* list = appended_list(entry.value))
      add_items(base, entry.key, *list, entry.origin);
    else if (entry.value.is_table())
      merge_table(base, entry);
    else
      base.set(entry.key, entry.value, entry.origin);
  }
}

Sources read_sources(const fs::path& file, const fs::path& working_directory, Problems& problems) {
  Reader reader(working_directory, problems);
  Node root = reader.read(file);
  reader.sources.root = std::move(root);
  return std::move(reader.sources);
}

}  // namespace bcx::config
