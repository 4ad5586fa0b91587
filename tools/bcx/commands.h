// The commands of `bcx`: one source file each, and one explicit list in main.cpp.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>

namespace bcx::cli {

/// What main() runs after parsing: returns the process's exit code, or throws bcx::Error.
using Action = std::function<int()>;

// Each adds its subcommand(s) to `app`; the subcommand's callback stores the work into `action`.
void add_run(CLI::App& app, Action& action);        // run, resume
void add_new(CLI::App& app, Action& action);        // new
void add_sweep(CLI::App& app, Action& action);      // sweep run|resume|extend|status|best|show|ask|tell
void add_check(CLI::App& app, Action& action);      // check
void add_verify(CLI::App& app, Action& action);     // verify
void add_runs(CLI::App& app, Action& action);       // runs
void add_sql(CLI::App& app, Action& action);        // sql
void add_diff(CLI::App& app, Action& action);       // diff
void add_show(CLI::App& app, Action& action);       // show
void add_log(CLI::App& app, Action& action);        // log
void add_curve(CLI::App& app, Action& action);      // curve
void add_edit(CLI::App& app, Action& action);       // tag, note, name, rm
void add_watch(CLI::App& app, Action& action);      // watch
void add_gc(CLI::App& app, Action& action);         // gc
void add_transfer(CLI::App& app, Action& action);   // export, merge, import
void add_plugins(CLI::App& app, Action& action);    // plugins list|show
void add_data(CLI::App& app, Action& action);       // data inspect|audit|demo|pack|preview
void add_metrics(CLI::App& app, Action& action);    // metrics
void add_compare(CLI::App& app, Action& action);    // compare
void add_report(CLI::App& app, Action& action);     // report
void add_weights(CLI::App& app, Action& action);    // weights list|fetch|show
void add_predict(CLI::App& app, Action& action);    // predict
void add_evaluate(CLI::App& app, Action& action);   // evaluate
void add_explain(CLI::App& app, Action& action);    // explain

void add_bench(CLI::App& app, Action& action);       // bench tracker
void add_doctor(CLI::App& app, Action& action);      // doctor
void add_completion(CLI::App& app, Action& action);  // completion bash|zsh|fish

}  // namespace bcx::cli
