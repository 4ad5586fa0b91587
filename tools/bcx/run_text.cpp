#include "run_text.h"

#include <fmt/format.h>

#include <array>
#include <cstdio>
#include <map>
#include <memory>

#include "base/shell.h"
#include "base/table.h"
#include "base/text.h"
#include "main_metrics.h"

namespace bcx::cli {
namespace {

/// First line that a command prints, empty when it fails: git is asked, not required.
std::string first_line_of(const char* command) {
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command, "r"), pclose);
  std::array<char, 256> line{};
  if (!pipe || !std::fgets(line.data(), static_cast<int>(line.size()), pipe.get())) return {};
  return std::string(trim(line.data()));
}

}  // namespace

std::string git_commit() {
  const std::string commit = first_line_of("git rev-parse HEAD 2>/dev/null");
  if (commit.empty()) return {};
  const bool dirty =
      !first_line_of("git status --porcelain --untracked-files=no 2>/dev/null").empty();
  return dirty ? commit + "-dirty" : commit;
}

std::string command_line() {
  std::string text;
  if (const std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen("/proc/self/cmdline", "r"),
                                                       std::fclose);
      file) {
    std::array<char, 4096> block{};
    for (std::size_t n; (n = std::fread(block.data(), 1, block.size(), file.get())) > 0;)
      text.append(block.data(), n);
  }
  if (!text.empty() && text.back() != '\0') text += '\0';
  std::string command;
  for (std::size_t at = 0; at < text.size(); at = text.find('\0', at) + 1)
    command += (at ? " " : "") + shell_word(text.c_str() + at);
  return command;
}

void print_test_figures(const std::vector<std::pair<std::string, double>>& values) {
  const std::map<std::string, double> metrics(values.begin(), values.end());
  const bool tta = metrics.contains("test.tta.loss");
  std::vector<Column> columns{{"", Align::left, 0}, {"test", Align::right, 0}};
  if (tta) columns.push_back({"with test-time augmentation", Align::right, 0});
  Table table(columns);
  for (const auto& name : main_metrics) {
    const auto cell = [&](const std::string& prefix) {
      const auto found = metrics.find(prefix + std::string(name));
      return found == metrics.end() ? std::string() : fmt::format("{:.4f}", found->second);
    };
    if (!cell("test.").empty())
      table.add({std::string(name), cell("test."), tta ? cell("test.tta.") : ""});
  }
  if (!table.empty()) fmt::print("{}", table.text(terminal_width()));
}

}  // namespace bcx::cli
