// A whole run under valgrind: plugins loaded, pictures decoded, steps, evaluation, checkpoint,
// tracker, exit. LibTorch is not built with sanitizers; valgrind looks at its memory, too.

#include "tests/integration/faults/small_runs.h"

using namespace bcx;

TEST_CASE("memcheck finds nothing in a run") {
  const std::string valgrind = "/usr/bin/valgrind";
  if (!std::filesystem::exists(valgrind)) BCX_SKIP("no valgrind here");
  const test::SmallRuns here;
  const auto log = here.path() / "valgrind.log";
  std::vector<std::string> command{
      valgrind, "--error-exitcode=99", "--num-callers=20", "--log-file=" + log.string(),
      "--suppressions=" + (test::source_dir() / "tests/valgrind.supp").string()};
  const auto run = here.command(
      {"run", "small.toml", "--quiet", "--set", "train.epochs=1", "--set", "schedule.warmup=1"});
  command.insert(command.end(), run.begin(), run.end());
  const auto done = test::run_process(command, here.path(), here.path());
  INFO(done.err << "\n" << test::slurp(log));
  CHECK(done.code == 0);
  CHECK(here.run_named("small").at("status") == "finished");
}
