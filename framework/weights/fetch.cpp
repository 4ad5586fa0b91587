#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "base/atomic_file.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/paths.h"
#include "base/text.h"
#include "weights/process.h"
#include "weights/resolve.h"
#include "weights/safetensors.h"

namespace bcx::weights {
namespace {

namespace fs = std::filesystem;

void make_folder(const fs::path& folder) {
  std::error_code failed;
  fs::create_directories(folder, failed);
  if (failed)
    throw Error(ExitCode::storage, {fmt::format("cannot make the folder: {}", failed.message()),
                                    printable(folder.string()),
                                    {}});
}

/// The cache's one workshop: whoever holds the lock may use the folder `.fetch`, and finds there at
/// most what a killed process left.
class Workshop {
 public:
  explicit Workshop(const fs::path& cache) : folder_(cache / ".fetch") {
    make_folder(cache);
    lock_ = open((cache / ".lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (lock_ < 0 || flock(lock_, LOCK_EX) != 0)
      throw Error(ExitCode::storage, {fmt::format("cannot be locked: {}", system_message(errno)),
                                      printable(cache.string()),
                                      {}});
    clear();
    make_folder(folder_);
  }
  ~Workshop() {
    clear();
    close(lock_);
  }
  Workshop(const Workshop&) = delete;
  Workshop& operator=(const Workshop&) = delete;

  fs::path operator/(const std::string& name) const { return folder_ / name; }
  const fs::path& folder() const { return folder_; }

 private:
  void clear() {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }
  fs::path folder_;
  int lock_ = -1;
};

/// One fetch: from the index's entry to the file in the cache.
class Fetch {
 public:
  Fetch(const IndexEntry& entry, const FetchOptions& options, const Workshop& work)
      : entry_(entry), options_(options), work_(work) {}

  void run() {
    const fs::path download = entry_.package.empty() ? from_url() : from_package();
    const std::string sum = verify(download);
    const fs::path converted = convert(download, sum);
    const SafetensorsFile file = SafetensorsFile::open(converted);
    for (const auto& tensor : file.tensors()) require_finite(tensor, entry_.name);
    std::error_code failed;
    fs::rename(converted, cached_path(entry_.name), failed);
    if (failed)
      throw Error(ExitCode::storage,
                  {fmt::format("cannot be put into the cache: {}", failed.message()),
                   printable(cached_path(entry_.name).string()),
                   {}});
    if (entry_.prefix_only()) record(sum);
  }

 private:
  [[noreturn]] void fail(std::string what, std::string remedy = {}) const {
    throw Error(ExitCode::data, {std::move(what), entry_.name, std::move(remedy)});
  }

  void python(std::vector<std::string> arguments, const char* doing, const char* remedy) const {
    arguments.insert(arguments.begin(), "python3");
    const fs::path log = options_.progress ? fs::path() : work_ / "log";
    const int status = run_process(arguments, log);
    if (status == 0) return;
    if (status == 127) fail("python3 could not be started", "install python3 and python3-pip");
    const std::string said = log.empty() ? std::string() : last_line(log);
    fail(
        fmt::format("{} failed (exit status {}{})", doing, status, said.empty() ? "" : ": " + said),
        remedy);
  }

  fs::path from_package() const {
    // A requirements file, because only there pip takes hashes.
    const fs::path requirements = work_ / "requirements.txt";
    write_atomically(requirements,
                     fmt::format("{} --hash=sha256:{}\n", entry_.package, entry_.sha256));
    const fs::path folder = work_ / "package";
    std::vector<std::string> arguments = {"-m",
                                          "pip",
                                          "download",
                                          "--no-deps",
                                          "--only-binary=:all:",
                                          "--require-hashes",
                                          "--no-input",
                                          "--disable-pip-version-check",
                                          "--no-cache-dir",
                                          "--dest",
                                          folder.string(),
                                          "--requirement",
                                          requirements.string()};
    if (!options_.progress) arguments.push_back("--quiet");
    python(std::move(arguments), "pip download",
           "is this machine online, and is pip installed (Debian: python3-pip)?");
    std::error_code failed;
    for (const auto& file : fs::directory_iterator(folder, failed)) return file.path();
    fail("pip downloaded nothing");
  }

  fs::path from_url() const {
    if (!entry_.url.starts_with("https://")) fail("only https addresses are fetched");
    const fs::path target = work_ / entry_.file;
    const std::uint64_t limit = entry_.exact_size ? entry_.size : entry_.size + entry_.size / 50;
    std::vector<std::string> arguments = {"-I",       script("download").string(),
                                          entry_.url, target.string(),
                                          "--limit",  std::to_string(limit)};
    if (!options_.progress) arguments.push_back("--quiet");
    python(std::move(arguments), "the download", "is this machine online?");
    return target;
  }

  fs::path record_path() const { return data_folder() / "weights" / (entry_.name + ".sha256"); }

  void record(const std::string& sum) const {
    make_folder(record_path().parent_path());
    write_atomically(record_path(), fmt::format("{}  {}\n", sum, entry_.file));
  }

  /// Size and SHA-256 against the index, and against what was fetched the first time.
  std::string verify(const fs::path& download) const {
    const std::uint64_t size = fs::file_size(download);
    if (entry_.exact_size && size != entry_.size)
      fail(fmt::format("the download has {} bytes, the index says {}", size, entry_.size));
    std::string sum = sha256_file(download);
    if (!sum.starts_with(entry_.sha256))
      fail(fmt::format("the download's SHA-256 is {}, the index says {}{}", sum, entry_.sha256,
                       entry_.prefix_only() ? "…" : ""),
           "it is not the published file; try again later, or from another network");
    std::error_code failed;
    if (!entry_.prefix_only() || !fs::exists(record_path(), failed)) return sum;
    const std::string first = read_text(record_path(), 4096, ExitCode::data).substr(0, 64);
    if (sum != first)
      fail(fmt::format("the download's SHA-256 is {}, the first fetch's was {}", sum, first),
           fmt::format("if that is right, remove {}", printable(record_path().string())));
    return sum;
  }

  fs::path convert(const fs::path& download, const std::string& sum) const {
    const fs::path converted = work_ / "converted.safetensors";
    std::vector<std::string> arguments = {"-I", script("convert_weights").string(),
                                          download.string(), converted.string()};
    if (!entry_.package.empty()) arguments.insert(arguments.end(), {"--member", entry_.file});
    const std::string origin = entry_.package.empty() ? entry_.url : entry_.package;
    for (const auto& [key, value] : {std::pair<std::string, std::string>{"name", entry_.name},
                                     {"source", origin},
                                     {"source_sha256", sum},
                                     {"licence", entry_.licence}})
      arguments.insert(arguments.end(), {"--metadata", key + "=" + value});
    python(std::move(arguments), "the conversion", "");
    return converted;
  }

  const IndexEntry& entry_;
  const FetchOptions& options_;
  const Workshop& work_;
};

}  // namespace

fs::path fetch_weights(const IndexEntry& entry, const FetchOptions& options) {
  const fs::path target = cached_path(entry.name);
  const Workshop work(target.parent_path());
  // Another process may have fetched it while this one waited for the lock.
  if (options.again || !is_cached(entry.name)) Fetch(entry, options, work).run();
  return target;
}

}  // namespace bcx::weights
