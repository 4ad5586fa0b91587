#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/signals.h"
#include "tests/catch.h"

namespace {

/// Exit code of a child that gets SIGTERM twice, so many microseconds apart.
int twice(useconds_t apart) {
  const pid_t child = fork();
  if (child == 0) {
    const bcx::SignalScope scope;
    raise(SIGTERM);
    usleep(apart);
    raise(SIGTERM);
    _exit(bcx::stop_requested() ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace

TEST_CASE("the same wish to stop from two sides is one, a later one leaves at once") {
  CHECK(twice(0) == 0);
  CHECK(twice(600'000) == 75);
}
