#include <sys/stat.h>

#include <fstream>

#include "base/atomic_file.h"
#include "base/error.h"
#include "base/paths.h"
#include "tests/catch.h"

using namespace bcx;
namespace fs = std::filesystem;

namespace {

std::size_t files_in(const fs::path& folder) {
  return static_cast<std::size_t>(
      std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

}  // namespace

TEST_CASE("a file appears whole, or the old one stays") {
  test::TemporaryFolder folder;
  const auto path = folder / "weights.bin";
  write_atomically(path, "old");
  {
    AtomicFile file(path);
    file.write("new, but never committed");
  }
  CHECK(read_text(path, 100, ExitCode::data) == "old");
  CHECK(files_in(folder.path()) == 1);
  {
    AtomicFile file(path);
    file.write("new");
    CHECK(read_text(file.finish(), 100, ExitCode::data) == "new");
    file.commit();
  }
  CHECK(read_text(path, 100, ExitCode::data) == "new");
  CHECK(files_in(folder.path()) == 1);
}

TEST_CASE("a new file has the mode that the umask asks for") {
  test::TemporaryFolder folder;
  const mode_t before = umask(027);
  write_atomically(folder / "a", "x");
  umask(before);
  struct stat status {};
  REQUIRE(stat((folder / "a").c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0640);
}

TEST_CASE("failures name the file and the reason") {
  test::TemporaryFolder folder;
  const auto missing = folder / "no-such-folder" / "a";
  try {
    write_atomically(missing, "x");
    FAIL("wrote into a folder that is not there");
  } catch (const Error& error) {
    CHECK(error.code() == ExitCode::storage);
    CHECK(std::string(error.what()) ==
          missing.string() + ": cannot create: No such file or directory");
  }
  try {
    read_text(folder / "nothing", 10, ExitCode::data);
    FAIL("read a file that is not there");
  } catch (const Error& error) {
    CHECK(std::string(error.what()) ==
          (folder / "nothing").string() + ": cannot be opened: No such file or directory");
  }
  write_atomically(folder / "large", std::string(2001, 'x'));
  try {
    read_text(folder / "large", 2000, ExitCode::data);
    FAIL("read more than the limit");
  } catch (const Error& error) {
    CHECK(std::string(error.what()) == (folder / "large").string() + ": is larger than 2.00 kB");
  }
}
