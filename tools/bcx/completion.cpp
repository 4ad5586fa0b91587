// `bcx completion bash|zsh|fish`: a script that a shell reads, made from the commands themselves.

#include <fmt/format.h>

#include <map>
#include <memory>

#include "base/text.h"
#include "commands.h"

namespace bcx::cli {
namespace {

/// A command and what may follow it.
struct Entry {
  std::string path;  ///< `plugins list`; empty for bcx itself
  std::vector<const CLI::App*> commands;
  std::vector<const CLI::Option*> options;
  bool takes_runs = false;
};

void collect(const CLI::App& app, const std::string& path, std::vector<Entry>& out) {
  Entry entry{path, {}, {}, false};
  for (const auto* command : app.get_subcommands({})) entry.commands.push_back(command);
  for (const auto* option : app.get_options({})) {
    if (!option->get_lnames().empty()) entry.options.push_back(option);
    if (option->get_positional() && option->get_type_name().starts_with("RUN"))
      entry.takes_runs = true;
  }
  out.push_back(entry);
  for (const auto* command : entry.commands)
    collect(*command, path.empty() ? command->get_name() : path + " " + command->get_name(), out);
}

std::string commands_of(const Entry& entry) {
  std::vector<std::string> words;
  for (const auto* command : entry.commands) words.push_back(command->get_name());
  return join(words, " ");
}

std::string options_of(const Entry& entry) {
  std::vector<std::string> words;
  for (const auto* option : entry.options) words.push_back("--" + option->get_lnames()[0]);
  return join(words, " ");
}

// A run's name may be anything, and a shell would run what stands in it: plain ones alone.
constexpr const char* run_names =
    "bcx runs --columns name --csv --limit 200 2>/dev/null | tail -n +2 | grep -xE "
    "'[A-Za-z0-9_.][A-Za-z0-9_.-]*' | sort -u";

void print_bash(const std::vector<Entry>& entries) {
  std::vector<std::string> families;
  for (const auto& entry : entries)
    if (!entry.path.empty() && !entry.commands.empty()) families.push_back(entry.path);
  fmt::print(
      "# bcx for bash: bcx completion bash > ~/.local/share/bash-completion/completions/bcx\n"
      "_bcx() {{\n"
      "  local word=\"${{COMP_WORDS[COMP_CWORD]}}\" path= words= options= runs=\n"
      "  [ \"$COMP_CWORD\" -gt 1 ] && path=\"${{COMP_WORDS[1]}}\"\n"
      "  case \"$path\" in\n"
      "    {}) [ \"$COMP_CWORD\" -gt 2 ] && path=\"$path ${{COMP_WORDS[2]}}\" ;;\n"
      "  esac\n"
      "  case \"$path\" in\n",
      join(families, "|"));
  for (const auto& entry : entries)
    fmt::print("    '{}') words='{}' options='{}'{} ;;\n", entry.path, commands_of(entry),
               options_of(entry), entry.takes_runs ? " runs=1" : "");
  fmt::print(
      "  esac\n"
      "  case \"$word\" in\n"
      "    -*) words=\"$options\" ;;\n"
      "    *) [ -n \"$runs\" ] && words=\"$words @last $({})\" ;;\n"
      "  esac\n"
      "  COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
      "}}\n"
      "complete -o default -F _bcx bcx\n",
      run_names);
}

std::string quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' || c == '\\' ? std::string{'\\', c} : std::string{c};
  return out + "'";
}

std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

/// When a fish completion applies: behind these words.
std::string condition(const std::string& path) {
  if (path.empty()) return "__fish_use_subcommand";
  std::string out;
  for (const auto& word : split(path, ' '))
    out += (out.empty() ? "" : "; and ") + ("__fish_seen_subcommand_from " + word);
  return out;
}

void print_fish(const std::vector<Entry>& entries) {
  fmt::print("# bcx for fish: bcx completion fish > ~/.config/fish/completions/bcx.fish\n");
  for (const auto& entry : entries) {
    const auto when = quoted(condition(entry.path));
    for (const auto* command : entry.commands)
      fmt::print("complete -c bcx -n {} -a {} -d {}\n", when, command->get_name(),
                 quoted(first_line(command->get_description())));
    for (const auto* option : entry.options)
      fmt::print("complete -c bcx -n {} -l {}{} -d {}\n", when, option->get_lnames()[0],
                 option->get_expected_min() == 0 ? "" : " -r",
                 quoted(first_line(option->get_description())));
    if (entry.takes_runs)
      fmt::print("complete -c bcx -n {} -a {}\n", when,
                 quoted(fmt::format("@last ({})", run_names)));
  }
}

int print(const CLI::App& app, const std::string& shell) {
  std::vector<Entry> entries;
  collect(app, "", entries);
  if (shell == "fish") {
    print_fish(entries);
    return 0;
  }
  if (shell == "zsh")
    fmt::print("autoload -U +X bashcompinit && bashcompinit  # zsh reads bash's completions\n");
  print_bash(entries);
  return 0;
}

}  // namespace

void add_completion(CLI::App& app, Action& action) {
  auto* command = app.add_subcommand("completion", "Print a script that completes bcx's words");
  auto shell = std::make_shared<std::string>();
  command->add_option("shell", *shell, "bash, zsh or fish")
      ->type_name("SHELL")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  command->footer("Example:\n  source <(bcx completion bash)");
  command->callback(
      [shell, &app, &action] { action = [shell, &app] { return print(app, *shell); }; });
}

}  // namespace bcx::cli
