// Plugins that throw, crash, hang or give back nonsense: the message names them, the record says
// how the run ended.

#include "base/text.h"
#include "plugin/loader.h"
#include "tests/integration/faults/small_runs.h"

using namespace bcx;
namespace fs = std::filesystem;

namespace {

const fs::path fixtures = test::build_dir() / "tests/fault_fixtures";

std::string file_of(const char* name) {
  return fs::canonical(fixtures / (std::string("fixture_") + name + ".bcx.so")).string();
}

}  // namespace

TEST_CASE("what a callback does wrong has its name") {
  const test::SmallRuns here;
  struct Case {
    const char* what;
    int code;
    const char* status;
    std::string said;
  };
  const std::string site =
      "in callback \"trouble\" 1.0.0 (" + file_of("trouble") + "), while told that a step ended";
  const std::string crashed = "; `bcx plugins check " + file_of("trouble") + "` looks into it\n";
  for (const auto& [what, code, status, said] :
       {Case{"throw", 4, "failed", "error: " + site + ": no such luck\n"},
        Case{"throw_number", 4, "failed",
             "error: " + site + ": threw something that is no std::exception\n"},
        Case{"crash", 128 + SIGSEGV, "crashed",
             "error: crashed (segmentation fault) " + site + crashed},
        Case{"abort", 128 + SIGABRT, "crashed", "error: crashed (abort) " + site + crashed}}) {
    INFO(what);
    const auto file =
        here.with(what, "[[callback]]\nname = \"trouble\"\nwhat = \"" + std::string(what) + "\"\n");
    const auto done = here.run_file(file, what, {"--plugin-path", fixtures.string()});
    CHECK(done.code == code);
    CHECK(done.err == said);
    CHECK(here.run_named(what).at("status") == status);
  }
}

TEST_CASE("what an augmentation does wrong has its name") {
  const test::SmallRuns here;
  const auto with = [&](const std::string& name) {
    const auto file = here.with(name, "[[augmentation]]\nname = \"" + name + "\"\n");
    return here.run_file(file, name, {"--plugin-path", fixtures.string()});
  };
  const auto shape = with("wrong_shape");
  CHECK(shape.code == 4);
  CHECK(shape.err == "error: in augmentation \"wrong_shape\" 1.0.0 (" + file_of("spoil") +
                         "), while applying it to a batch: returned another shape or type than "
                         "[3, 3, 32, 32] float32\n");
  const auto crash = with("breaks");
  CHECK(crash.code == 128 + SIGBUS);
  CHECK(crash.err == "error: crashed (bus error) in augmentation \"breaks\" 1.0.0 (" +
                         file_of("spoil") + "), while applying it to a batch; `bcx plugins check " +
                         file_of("spoil") + "` looks into it\n");
  CHECK(here.run_named("breaks").at("status") == "crashed");
}

TEST_CASE("a plugin that hangs while it is loaded ends the process with its name") {
  const auto file = fs::canonical(test::build_dir() / "tests/plugin_fixtures/fixture_hangs.bcx.so");
  const test::TemporaryFolder folder;
  const auto said = folder / "said";
  const pid_t child = fork();
  if (child == 0) {
    if (!std::freopen(said.c_str(), "w", stderr)) _exit(1);
    plugin::set_load_time_limit(0.5);
    plugin::load(file);
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 4);
  CHECK(
      test::slurp(said) ==
      "error: " + file.string() +
          ": is not loaded after 0.5 seconds: its static constructors or bcx_plugin_entry() hang; "
          "`bcx plugins check " +
          file.string() + "` looks into it\n");
}
