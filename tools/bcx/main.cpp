// `bcx`: parses the command line, runs one command, turns errors into messages and exit codes.
// Links neither LibTorch nor OpenCV; commands that need them load a library.

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <new>
#include <sstream>
#include <system_error>

#include "base/error.h"
#include "base/text.h"
#include "commands.h"
#include "ensemble.h"
#include "load_engine.h"
#include "plugin/crash_message.h"
#include "standard_output.h"

namespace {

/// Standard error may be a full disk or a terminal that went away: the exit code counts.
template <typename... Args>
void say(fmt::format_string<Args...> format, Args&&... args) {
  std::fputs(fmt::format(format, std::forward<Args>(args)...).c_str(), stderr);
}

/// Runs the command; what it printed has arrived when this returns.
int perform(const bcx::cli::Action& action) {
  const int code = action ? action() : static_cast<int>(bcx::ExitCode::ok);
  bcx::cli::flush_out();
  // At exit LibTorch takes its tables of operators apart: a fifth of a short run's processor time.
  // What the command opened is closed by now.
  if (bcx::cli::engine_is_open) {
    std::fflush(stderr);
    _exit(code);
  }
  return code;
}

int report(const bcx::Error& error) {
  const auto* list = dynamic_cast<const bcx::ErrorList*>(&error);
  if (list) {
    for (const auto& one : list->errors()) say("error: {}\n", one.what());
    if (list->errors().size() > 1) say("{} mistakes\n", list->errors().size());
  } else {
    say("error: {}\n", error.what());
  }
  return static_cast<int>(error.code());
}

/// Help, or what is wrong with the command line, whose words CLI11 repeats as they are.
int report(const CLI::App& app, const CLI::ParseError& error) {
  std::ostringstream out, complaint;
  const int code = app.exit(error, out, complaint);
  std::string text = complaint.str();
  const std::string what = error.what();
  if (text.starts_with(what)) text.replace(0, what.size(), bcx::printable(what));
  fmt::print("{}", out.str());
  fmt::print(stderr, "{}", text);
  return code == 0 ? 0 : static_cast<int>(bcx::ExitCode::usage);
}

/// CLI11 only says that a subcommand is required; a typo deserves the name that was meant.
void require_known_command(const CLI::App& app, int argc, char** argv) {
  if (argc < 2 || argv[1][0] == '-') return;
  std::vector<std::string> names;
  for (const auto* command : app.get_subcommands({})) names.push_back(command->get_name());
  if (std::find(names.begin(), names.end(), argv[1]) != names.end()) return;
  const std::string hint = bcx::did_you_mean(argv[1], names);
  throw bcx::Error(bcx::ExitCode::usage,
                   {fmt::format("unknown command \"{}\"", bcx::printable(argv[1])), "",
                    hint.empty() ? "see bcx --help" : hint});
}

}  // namespace

int main(int argc, char** argv) {
  using namespace bcx::cli;
  CLI::App app{"bcx trains, records and compares image classification experiments.", "bcx"};
  app.require_subcommand(1);
  app.set_version_flag("--version", BCX_VERSION);
  app.set_help_all_flag("--help-all", "Help of every command");
  Action action;
  add_new(app, action);
  add_run(app, action);
  add_sweep(app, action);
  add_check(app, action);
  add_verify(app, action);
  add_runs(app, action);
  add_sql(app, action);
  add_diff(app, action);
  add_show(app, action);
  add_log(app, action);
  add_curve(app, action);
  add_edit(app, action);
  add_watch(app, action);
  add_gc(app, action);
  add_transfer(app, action);
  add_plugins(app, action);
  add_data(app, action);
  add_metrics(app, action);
  add_compare(app, action);
  add_report(app, action);
  add_ensemble(app, action);
  add_weights(app, action);
  add_predict(app, action);
  add_evaluate(app, action);
  add_explain(app, action);
  add_bench(app, action);
  add_doctor(app, action);
  add_completion(app, action);
  bcx::plugin::name_plugins_in_crashes();
  try {
    require_known_command(app, argc, argv);
    app.parse(argc, argv);
    return perform(action);
  } catch (const CLI::ParseError& error) {
    return report(app, error);
  } catch (const bcx::Error& error) {
    return report(error);
  } catch (const OutputClosed& closed) {
    return closed.exit_code;
  } catch (const std::bad_alloc&) {
    say("error: out of memory; give the process more, or smaller work\n");
    return static_cast<int>(bcx::ExitCode::device);
  } catch (const std::system_error& error) {
    if (error.code() == std::errc::broken_pipe) return OutputClosed::exit_code;  // fmt::print's
    say("error: {}\n", bcx::printable(error.what()));
    return static_cast<int>(bcx::ExitCode::other);
  } catch (const std::exception& error) {
    say("error: {}\n", bcx::printable(error.what()));
    return static_cast<int>(bcx::ExitCode::other);
  }
}
