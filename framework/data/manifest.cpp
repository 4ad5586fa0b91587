#include "data/manifest.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <system_error>
#include <unordered_map>

#include "base/error.h"
#include "base/paths.h"
#include "base/text.h"
#include "data/csv.h"
#include "data/mistakes.h"

namespace bcx::data {
namespace {

namespace fs = std::filesystem;

// What a path in a manifest may be, judged by its text alone; "" when it may.
std::string bad_path(std::string_view path) {
  if (path.empty()) return "the path is empty";
  if (path.size() > 4096) return "the path is longer than 4,096 bytes";
  if (path.front() == '/') return "the path is absolute";
  for (const auto& part : split(path, '/')) {
    if (part == "..") return "the path leaves the manifest's folder";
  }
  return {};
}

bool lies_within(const fs::path& path, const fs::path& folder) {
  return std::mismatch(folder.begin(), folder.end(), path.begin(), path.end()).first ==
         folder.end();
}

// Answers "is this a regular file inside the folder, links resolved?"; resolves each folder once.
class Beneath {
 public:
  explicit Beneath(const fs::path& folder) : folder_(folder) {}

  std::string problem(const fs::path& relative) {
    std::error_code error;
    const fs::path& parent = resolved(relative.parent_path());
    if (parent.empty()) return "no such file";
    fs::path file = parent / relative.filename();
    const auto status = fs::symlink_status(file, error);
    if (fs::is_symlink(status)) file = fs::canonical(file, error);
    if (error || !fs::exists(file, error)) return "no such file";
    if (!lies_within(file, folder_)) return "the path leaves the manifest's folder through a link";
    return fs::is_regular_file(file, error) ? "" : "not a regular file";
  }

 private:
  const fs::path& resolved(const fs::path& parent) {
    const auto [at, fresh] = folders_.try_emplace(parent.string());
    if (fresh) {
      std::error_code error;
      at->second = fs::canonical(folder_ / parent, error);
      if (error) at->second.clear();
    }
    return at->second;
  }

  const fs::path& folder_;
  std::unordered_map<std::string, fs::path> folders_;
};

struct Columns {
  std::size_t path = 0, label = 0;
  std::optional<std::size_t> part;
  std::vector<std::size_t> attributes;
};

Columns read_header(const std::vector<std::string>& header, const std::string& where,
                    std::vector<std::string>& attribute_names) {
  Columns columns;
  std::optional<std::size_t> path, label;
  for (std::size_t i = 0; i < header.size(); ++i) {
    const auto& name = header[i];
    const bool twice = std::find(header.begin(), header.begin() + static_cast<std::ptrdiff_t>(i),
                                 name) != header.begin() + static_cast<std::ptrdiff_t>(i);
    if (name.empty() || name == "image" || twice) {
      throw Error(ExitCode::data,
                  {twice ? fmt::format("two columns are called \"{}\"", printable(name))
                         : fmt::format("a column cannot be called \"{}\"", name),
                   where, "give each column its own name"});
    }
    if (name == "path") {
      path = i;
    } else if (name == "label") {
      label = i;
    } else {
      if (name == "part") columns.part = i;
      columns.attributes.push_back(i);
      attribute_names.push_back(name);
    }
  }
  for (const auto& [column, name] : {std::pair{path, "path"}, std::pair{label, "label"}}) {
    if (column) continue;
    throw Error(ExitCode::data, {fmt::format("no column \"{}\"", name), where,
                                 "the first line names the columns, as in path,label,group"});
  }
  columns.path = *path;
  columns.label = *label;
  return columns;
}

bool is_part(const std::string& text) {
  return text == "train" || text == "validation" || text == "test" || text == "unused";
}

fs::path manifest_file(const fs::path& root) {
  std::error_code error;
  const fs::path file = fs::is_directory(root, error) ? root / "manifest.csv" : root;
  if (!fs::is_regular_file(file, error)) {
    throw Error(ExitCode::data, {"no manifest here", printable(file.string()),
                                 "data.root names a CSV file with the columns path and label, or "
                                 "a folder with manifest.csv"});
  }
  return file;
}

class Reader {
 public:
  Reader(Manifest& manifest, const Columns& columns)
      : manifest_(manifest), columns_(columns), beneath_(manifest.folder) {}

  void row(const std::vector<std::string>& cells, std::size_t line) {
    ManifestRow row;
    row.line = line;
    const auto& text = cells[columns_.path];
    if (const auto why = bad_path(text); !why.empty()) return bad(line, why, text);
    const fs::path relative = fs::path(text).lexically_normal();
    row.relative = relative.generic_string();
    if (const auto why = beneath_.problem(relative); !why.empty()) return bad(line, why, text);
    const auto [first, fresh] = lines_.try_emplace(row.relative, line);
    if (!fresh) return bad(line, fmt::format("listed on line {} already", first->second), text);
    row.label = cells[columns_.label];
    if (row.label.empty()) return bad(line, "the label is empty", text);
    if (columns_.part && !is_part(cells[*columns_.part])) {
      return bad(line, "part must be train, validation, test or unused", cells[*columns_.part]);
    }
    for (const auto column : columns_.attributes) row.attributes.push_back(cells[column]);
    manifest_.rows.push_back(std::move(row));
  }

  void finish() const { mistakes_.throw_if_any(); }

 private:
  void bad(std::size_t line, const std::string& why, const std::string& text) {
    mistakes_.add({fmt::format("{}: \"{}\"", why, printable(text)),
                   fmt::format("{}:{}", printable(manifest_.file.string()), line), ""});
  }

  Manifest& manifest_;
  const Columns& columns_;
  Beneath beneath_;
  Mistakes mistakes_;
  std::unordered_map<std::string, std::size_t> lines_;
};

}  // namespace

Manifest read_manifest(const fs::path& root) {
  Manifest manifest;
  manifest.file = manifest_file(root);
  std::error_code error;
  manifest.folder = fs::canonical(manifest.file, error).parent_path();
  const std::string name = manifest.file.string();
  const auto csv = parse_csv(read_text(manifest.file, csv_max_bytes, ExitCode::data), name);
  if (csv.records.empty()) {
    throw Error(ExitCode::data, {"the manifest is empty", printable(name),
                                 "the first line names the columns, as in path,label,group"});
  }
  const std::string where = fmt::format("{}:{}", printable(name), csv.lines[0]);
  const auto columns = read_header(csv.records[0], where, manifest.attribute_names);
  if (csv.records.size() == 1) {
    throw Error(ExitCode::data, {"the manifest lists no images", printable(name), ""});
  }
  Reader reader(manifest, columns);
  for (std::size_t i = 1; i < csv.records.size(); ++i) reader.row(csv.records[i], csv.lines[i]);
  reader.finish();
  return manifest;
}

}  // namespace bcx::data
