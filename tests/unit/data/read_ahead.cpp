// Pages of a real file: which of them are in memory says the kernel (mincore).
#include "data/read_ahead.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <chrono>
#include <thread>
#include <vector>

#include "tests/catch.h"

using namespace bcx;

namespace {

constexpr std::int64_t side = 128;  // 12 pages an image
constexpr std::int64_t images = 200;
constexpr std::size_t bytes = images * side * side * 3;

/// A file whose pages were sent away, mapped.
class ColdFile {
 public:
  explicit ColdFile(const std::filesystem::path& path) {
    const int file = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    const std::vector<char> content(bytes, 'x');
    REQUIRE(write(file, content.data(), bytes) == static_cast<ssize_t>(bytes));
    REQUIRE(fsync(file) == 0);
    REQUIRE(posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED) == 0);
    address_ = mmap(nullptr, bytes, PROT_READ, MAP_SHARED, file, 0);
    close(file);
    REQUIRE(address_ != MAP_FAILED);
  }
  ~ColdFile() { munmap(address_, bytes); }
  ColdFile(const ColdFile&) = delete;
  ColdFile& operator=(const ColdFile&) = delete;

  data::PixelView view() const {
    return {static_cast<const std::uint8_t*>(address_), images, side, side, true};
  }
  /// Share of an image's pages that are in memory.
  double warm(std::int64_t image) const {
    const auto size = side * side * 3, page = sysconf(_SC_PAGESIZE);
    std::vector<unsigned char> pages(static_cast<std::size_t>(size / page));
    REQUIRE(mincore(static_cast<char*>(address_) + image * size, static_cast<std::size_t>(size),
                    pages.data()) == 0);
    double sum = 0;
    for (const auto one : pages) sum += one & 1;
    return sum / static_cast<double>(pages.size());
  }

 private:
  void* address_ = nullptr;
};

}  // namespace

TEST_CASE("images that come next are fetched without being touched, and no others") {
  const test::TemporaryFolder folder;
  const ColdFile file(folder / "pixels");
  if (file.warm(70) > 0 || file.warm(140) > 0)
    BCX_SKIP("this file system keeps its pages in memory");
  const std::vector<std::int64_t> next{70, 140};
  auto in_memory = file.view();
  in_memory.mapped = false;
  data::read_ahead(in_memory, next);
  data::read_ahead(file.view(), {});
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  CHECK(file.warm(70) == 0);

  data::read_ahead(file.view(), next);
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (file.warm(70) + file.warm(140) < 2 && std::chrono::steady_clock::now() < end)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  CHECK(file.warm(70) == 1);
  CHECK(file.warm(140) == 1);
  CHECK(file.warm(10) == 0);
  CHECK(file.warm(190) == 0);
}
