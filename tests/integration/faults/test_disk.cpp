// A small disk that fills up, files whose bytes change or go away, and two processes for one run.

#include <csignal>
#include <thread>

#include "tests/integration/faults/small_runs.h"

using namespace bcx;
namespace fs = std::filesystem;

namespace {

void flip_bit(const fs::path& file, double share) {
  auto bytes = test::slurp(file);
  bytes[static_cast<std::size_t>(static_cast<double>(bytes.size()) * share)] ^= 4;
  std::ofstream(file, std::ios::binary) << bytes;
}

fs::path first_picture(const fs::path& root) {
  fs::path first;
  for (const auto& entry : fs::recursive_directory_iterator(root))
    if (entry.path().extension() == ".png" && (first.empty() || entry.path() < first))
      first = entry.path();
  return first;
}

}  // namespace

TEST_CASE("a disk that is full for checkpoints and tracker: said, and gone on with after") {
  const test::SmallRuns here;
  here.run_whole();
  // A checkpoint of this network takes 16 MB: the second one does not fit.
  const test::SmallDisk disk(here.path() / "small", 30);
  BCX_NEEDS_MOUNTS(disk);
  const std::vector<std::string> there{"--tracker", (disk.path() / "bcx.db").string()};
  const auto full = here.run("full", there);
  INFO(full.err);
  CHECK(full.code == 6);
  CHECK(full.err.find("No space left on device") + full.err.find("disk is full") !=
        2 * std::string::npos);
  CHECK(full.err.find("free some space") != std::string::npos);
  for (const auto& entry : fs::recursive_directory_iterator(disk.path()))
    CHECK(entry.path().extension() != ".tmp");

  disk.grow(400);
  const auto on = here.bcx({"resume", "full", "--quiet", "--tracker", there[1]});
  INFO(on.err);
  REQUIRE(on.code == 0);
  const auto listed =
      nlohmann::json::parse(here.bcx({"runs", "--json", "--tracker", there[1]}).out);
  REQUIRE(listed.size() == 1);
  CHECK(listed[0].at("status") == "finished");
  CHECK(test::results(here.run_named("whole")) == test::results(listed[0]));
}

TEST_CASE("a full disk under the cache costs time and nothing else") {
  const test::SmallRuns here;
  const test::SmallDisk disk(here.path() / "cache", 1);
  BCX_NEEDS_MOUNTS(disk);
  std::ofstream(disk.path() / "ballast") << std::string(1 << 20, 'b');
  const auto done = here.run("uncached");
  INFO(done.err);
  CHECK(done.code == 0);
  CHECK(done.err.find("warning: ") != std::string::npos);
  CHECK(done.err.find("(0 B free); they stay in memory\n") != std::string::npos);
}

TEST_CASE("a full disk under standard output and the log is no reason to lose a run") {
  const test::SmallRuns here;
  if (!fs::exists("/dev/full")) BCX_SKIP("no /dev/full here");
  const auto shell = [&](const std::string& command) {
    return test::run_process({"/bin/sh", "-c", command}, here.path(), here.path());
  };
  const auto bcx = (test::build_dir() / "bin/bcx").string();
  // Messages are lost; the run is not.
  CHECK(shell(bcx + " run small.toml --name deaf 2> /dev/full").code == 0);
  CHECK(here.run_named("deaf").at("status") == "finished");
  // The result is what was asked for, so that losing it is an error; the record stands.
  const auto lost = shell(bcx + " run small.toml --name mute --json > /dev/full");
  CHECK(lost.code != 0);
  CHECK(here.run_named("mute").at("status") == "finished");
}

TEST_CASE("truncated and flipped checkpoints are passed over; a flipped best one is an error") {
  const test::SmallRuns here;
  here.run_whole();
  here.run_stopped("stopped", "epoch 2/3");  // two checkpoints to go on from
  const auto all = here.last_checkpoints("stopped");
  const auto newest = fs::canonical(all.back()).string();
  SECTION("flipped in the middle of a tensor") {
    flip_bit(newest, 0.7);
    const auto resumed = here.bcx({"resume", "stopped"});
    INFO(resumed.err);
    CHECK(resumed.err.find("warning: passing over a checkpoint: " + newest +
                           ": is damaged: its bytes are not those that were written (SHA-256)\n") !=
          std::string::npos);
    REQUIRE(resumed.code == 0);
    here.require_same_as_whole("stopped");
  }
  SECTION("truncated") {
    fs::resize_file(newest, fs::file_size(newest) / 2);
    const auto resumed = here.bcx({"resume", "stopped"});
    INFO(resumed.err);
    CHECK(resumed.err.find("warning: passing over a checkpoint: " + newest + ": ") !=
          std::string::npos);
    REQUIRE(resumed.code == 0);
    here.require_same_as_whole("stopped");
  }
  SECTION("all of them, and a finished run's best one") {
    for (const auto& file : here.checkpoints("stopped")) flip_bit(file, 0.7);
    const auto resumed = here.bcx({"resume", "stopped", "--quiet"});
    CHECK(resumed.code == 3);
    CHECK(resumed.err.ends_with(
        "the run has no checkpoint that can be read; start it anew with `bcx run`\n"));
    const auto best = here.newest_checkpoint("whole").parent_path() / "best.safetensors";
    flip_bit(best, 0.7);
    const auto predicted = here.bcx({"predict", "whole", "demo"});
    CHECK(predicted.code == 3);
    CHECK(predicted.err.find("best.safetensors: is damaged: its bytes are not those that were "
                             "written (SHA-256); name another one with --checkpoint FILE") !=
          std::string::npos);
  }
}

TEST_CASE("a damaged cache file is decoded anew") {
  const test::SmallRuns here;
  here.run_whole();
  for (const double share : {0.001, 0.5, 0.999}) {
    for (const auto& entry : fs::recursive_directory_iterator(here.path() / "cache"))
      if (entry.path().extension() == ".bcxpix") flip_bit(entry.path(), share);
    const auto name = "flipped" + std::to_string(share);
    const auto done = here.run(name);
    INFO(done.err);
    REQUIRE(done.code == 0);
    here.require_same_as_whole(name);
  }
}

TEST_CASE("pictures that go away or change") {
  const test::SmallRuns here;
  here.run_whole();
  const auto picture = first_picture(here.path() / "demo");
  const auto bytes = test::slurp(picture);

  SECTION("between scan and decode") {
    // A pipe in its place would be refused by the scan: the file goes away behind a link.
    fs::rename(picture, here.path() / "aside.png");
    fs::create_symlink(here.path() / "nowhere.png", picture);
    const auto gone = here.run("gone");
    CHECK(gone.code == 3);
    CHECK(gone.err.find(picture.filename().string()) != std::string::npos);
  }
  SECTION("after a stop: another data set is not gone on with") {
    here.run_stopped("stopped");
    fs::remove(picture);
    const auto refused = here.bcx({"resume", "stopped", "--quiet"});
    CHECK(refused.code == 2);
    CHECK(refused.err.find("cannot go on exactly: another data, split than at the checkpoint") !=
          std::string::npos);
    std::ofstream(picture, std::ios::binary) << bytes;
    CHECK(here.bcx({"resume", "stopped", "--quiet"}).code == 0);
    here.require_same_as_whole("stopped");
  }
  SECTION("while it trains: what was decoded stays") {
    test::Process process(here.command({"run", "small.toml", "--name", "unmoved"}), here.path(),
                          here.path());
    REQUIRE(process.says("epoch 1/3"));
    fs::rename(here.path() / "demo", here.path() / "elsewhere");
    CHECK(process.wait().code == 0);
    here.require_same_as_whole("unmoved");
  }
}

TEST_CASE("two processes for one run: the second is refused and changes nothing") {
  const test::SmallRuns here;
  here.run_whole();
  here.run_stopped("twice");
  test::Process first(here.command({"resume", "twice"}), here.path(), here.path());
  REQUIRE(first.says("device   "));
  first.signal(SIGSTOP);
  const auto second = here.bcx({"resume", "twice", "--quiet"});
  CHECK(second.code == 2);
  CHECK(second.err == "error: run twice: is running; stop it first\n");
  first.signal(SIGCONT);
  CHECK(first.wait().code == 0);
  here.require_same_as_whole("twice");
}

TEST_CASE("two resumes of one run at the same moment: one goes on, the other is refused") {
  const test::SmallRuns here;
  here.run_whole();
  here.run_stopped("raced");
  std::vector<std::unique_ptr<test::Process>> racers;
  for (int i = 0; i < 3; ++i)
    racers.push_back(std::make_unique<test::Process>(here.command({"resume", "raced", "--quiet"}),
                                                     here.path(), here.path()));
  int done = 0;
  for (auto& racer : racers) {
    const auto end = racer->wait();
    INFO(end.err);
    if (end.code == 0) {
      ++done;
      continue;
    }
    CHECK(end.code == 2);
    CHECK((end.err.find("is still running") != std::string::npos ||
           end.err.find("is running; stop it first") != std::string::npos ||
           end.err.find("another process has gone on with it since") != std::string::npos ||
           end.err.find("is finished") != std::string::npos));
  }
  CHECK(done == 1);
  here.require_same_as_whole("raced");
}

TEST_CASE("a clock that jumps back or forth changes no result") {
  const test::SmallRuns here;
  if (!fs::exists("/usr/bin/faketime")) BCX_SKIP("no faketime here");
  here.run_whole();
  std::vector<std::string> command{"/usr/bin/faketime", "-f", "-3d x50"};
  for (const auto& word : here.command({"run", "small.toml", "--quiet", "--name", "jumpy"}))
    command.push_back(word);
  const auto done = test::run_process(command, here.path(), here.path());
  INFO(done.err);
  REQUIRE(done.code == 0);
  here.require_same_as_whole("jumpy");
}
