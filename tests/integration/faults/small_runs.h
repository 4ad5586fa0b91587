// A run that takes a second, with everything in it that has a state; and ways to disturb it.
#pragma once

#include <sched.h>
#include <sys/mount.h>

#include <cerrno>
#include <cstring>

#include "tests/integration/train/workplace.h"

namespace bcx::test {

constexpr const char* small_run = R"(
extends = ["demo.toml"]
[experiment]
name = "small"
[data]
workers = 2
[model]
backbone = "shufflenet_v2_x1_0"
[[augmentation]]
name = "flip"
horizontal = 0.5
[[augmentation]]
name = "mixup"
[optimizer]
name = "adam"
learning_rate = 1e-3
[schedule]
name = "cosine"
unit = "step"
warmup = 4
[train]
epochs = 3
batch_size = 3
accumulate = 2
threads = 1
ema_decay = 0.9
clip_norm = 1.0
[[callback]]
name = "checkpoint"
monitor = "val.loss"
mode = "min"
[[callback]]
name = "reduce_lr_on_plateau"
monitor = "val.loss"
mode = "min"
min_delta = 100.0
patience = 1
[[callback]]
name = "early_stopping"
monitor = "val.loss"
mode = "min"
patience = 50
)";

struct SmallRuns : RunWorkplace {
  explicit SmallRuns(const std::string& more = "")
      : RunWorkplace("small", small_run + more, 48, 8) {}

  Outcome run(const std::string& name, const std::vector<std::string>& more = {}) const {
    return run_file("small.toml", name, more);
  }
  Outcome run_file(const std::string& file, const std::string& name,
                   const std::vector<std::string>& more) const {
    std::vector<std::string> arguments{"run", file, "--quiet", "--name", name};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return bcx(arguments);
  }
  /// The same experiment with more at its end, in a file of its own.
  std::string with(const std::string& name, const std::string& more) const {
    write(name + ".toml", small_run + more);
    return name + ".toml";
  }
  /// A run in one piece, that others are compared with.
  void run_whole() const {
    const auto done = run("whole");
    INFO(done.err);
    REQUIRE(done.code == 0);
  }
  void require_same_as_whole(const std::string& name) const {
    require_same_tensors(newest_checkpoint("whole"), newest_checkpoint(name));
    const auto run = run_named(name);
    CHECK(results(run_named("whole")) == results(run));
    CHECK(run.at("status") == "finished");
    // One that was killed in its first checkpoint cannot be resumed: another run of the name began,
    // and the first one's folder is as the kill left it.
    const auto folder = name + "-" + run.at("short_id").get<std::string>();
    for (const auto& file : checkpoints(name))
      if (file.parent_path().parent_path().filename() == folder)
        CHECK(file.extension() == ".safetensors");
  }
  /// Stopped after its first epoch.
  void run_stopped(const std::string& name, const char* after = "epoch 1/3") const {
    Process process(command({"run", "small.toml", "--name", name}), path(), path());
    REQUIRE(process.says(after));
    process.signal(SIGTERM);
    const auto done = process.wait();
    INFO(done.err);
    REQUIRE(done.code == 75);
  }
};

/// `strace -e inject=…` before a command. Empty: this machine has no strace, or lets nobody trace.
inline std::vector<std::string> injecting(const std::vector<std::string>& injections,
                                          const std::vector<std::string>& command) {
  std::vector<std::string> all{"/usr/bin/strace", "-f", "-qqq", "-o", "/dev/null"};
  for (const auto& injection : injections) {
    all.push_back("-e");
    all.push_back("inject=" + injection);
  }
  all.insert(all.end(), command.begin(), command.end());
  return all;
}

inline bool can_trace(const TemporaryFolder& folder) {
  return std::filesystem::exists("/usr/bin/strace") &&
         run_process(injecting({"fsync:error=EIO"}, {"/bin/true"}), folder.path()).code == 0;
}

#define BCX_NEEDS_STRACE()                                                                  \
  if (static const bool can = ::bcx::test::can_trace(::bcx::test::TemporaryFolder()); !can) \
  BCX_SKIP("no strace here, or no right to trace")

/// Mounts of this process and its children alone: nothing is left behind, however it ends.
inline bool own_mounts() {
  static const bool made =
      unshare(CLONE_NEWNS) == 0 && mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
  return made;
}

/// A small disk, mounted over a folder that is there.
class SmallDisk {
 public:
  SmallDisk(const std::filesystem::path& folder, int megabytes) : folder_(folder) {
    std::filesystem::create_directories(folder_);
    const auto size = "size=" + std::to_string(megabytes) + "m";
    mounted_ = own_mounts() && mount("tmpfs", folder_.c_str(), "tmpfs", 0, size.c_str()) == 0;
  }
  ~SmallDisk() {
    if (mounted_) umount2(folder_.c_str(), MNT_DETACH);
  }
  explicit operator bool() const { return mounted_; }
  const std::filesystem::path& path() const { return folder_; }
  /// More room.
  void grow(int megabytes) const {
    const auto size = "size=" + std::to_string(megabytes) + "m";
    REQUIRE(mount("tmpfs", folder_.c_str(), "tmpfs", MS_REMOUNT, size.c_str()) == 0);
  }

 private:
  std::filesystem::path folder_;
  bool mounted_ = false;
};

#define BCX_NEEDS_MOUNTS(disk) \
  if (!(disk)) BCX_SKIP(std::string("cannot mount here: ") + std::strerror(errno))

}  // namespace bcx::test
