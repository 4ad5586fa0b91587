// The only file of the tests that knows where it was built: the others compile to the same bytes
// in every checkout, and ccache finds them again.
#include "tests/catch.h"

namespace bcx::test {

std::filesystem::path source_dir() {
  return BCX_SOURCE_DIR;
}

std::filesystem::path build_dir() {
  return BCX_BUILD_DIR;
}

}  // namespace bcx::test
