// `bcx`: parses the command line, runs one command, turns errors into messages and exit codes.
// Links neither LibTorch nor OpenCV's imgcodecs; commands that need them load a library.

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

#include "base/error.h"
#include "base/text.h"
#include "commands.h"

namespace {

int report(const bcx::Error& error) {
  const auto* list = dynamic_cast<const bcx::ErrorList*>(&error);
  if (list) {
    for (const auto& one : list->errors()) fmt::print(stderr, "error: {}\n", one.what());
    if (list->errors().size() > 1) fmt::print(stderr, "{} mistakes\n", list->errors().size());
  } else {
    fmt::print(stderr, "error: {}\n", error.what());
  }
  return static_cast<int>(error.code());
}

}  // namespace

int main(int argc, char** argv) {
  using namespace bcx::cli;
  CLI::App app{"bcx trains, records and compares image classification experiments.", "bcx"};
  app.require_subcommand(1);
  app.set_version_flag("--version", BCX_VERSION);
  app.set_help_all_flag("--help-all", "Help of every command");
  Action action;
  add_run(app, action);
  add_check(app, action);
  add_runs(app, action);
  add_show(app, action);
  add_log(app, action);
  add_curve(app, action);
  add_plugins(app, action);
  add_data(app, action);
  add_weights(app, action);
  try {
    app.parse(argc, argv);
    return action ? action() : static_cast<int>(bcx::ExitCode::ok);
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error);
    return code == 0 ? 0 : static_cast<int>(bcx::ExitCode::usage);
  } catch (const bcx::Error& error) {
    return report(error);
  } catch (const std::exception& error) {
    fmt::print(stderr, "error: {}\n", error.what());
    return static_cast<int>(bcx::ExitCode::other);
  }
}
