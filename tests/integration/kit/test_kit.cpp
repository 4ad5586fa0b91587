// The author's kit as a stranger uses it: bcx installed, moved to another folder, and from there
// plugins and programs outside this repository, with nothing of this build tree in sight.

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "tests/catch.h"
#include "tests/process.h"

using namespace bcx::test;
namespace fs = std::filesystem;

namespace {

/// A folder with bcx installed in it, and an environment that knows of no other.
class Workplace {
 public:
  Workplace() {
    // Installed to one place and moved to another: nothing in the tree may remember where it was.
    sh("cmake --install '" + build_dir().string() + "' --prefix first > /dev/null && mv first bcx");
  }

  fs::path path() const { return folder_.path(); }

  /// A line for the shell, in a folder below; what it says goes into the failure.
  void sh(const std::string& line, const fs::path& folder = ".") const {
    const auto outcome = shell(line, folder);
    INFO(line << "\n" << outcome.out << outcome.err);
    REQUIRE(outcome.code == 0);
  }

  Outcome shell(const std::string& line, const fs::path& folder = ".") const {
    // The compiler cache works across runs of this test: paths below the folder are made relative.
    const std::string setting =
        "set -e; unset BCX_PLUGIN_PATH BCX_TRACKER BCX_DATA; export PATH='" +
        (path() / "bcx/bin").string() + "':\"$PATH\" CMAKE_PREFIX_PATH='" +
        (path() / "bcx").string() +
        "' CMAKE_GENERATOR=Ninja CMAKE_BUILD_PARALLEL_LEVEL=2 XDG_DATA_HOME=/nonexistent "
        "CCACHE_NOHASHDIR=1 "
        "CCACHE_BASEDIR='" +
        path().string() +
        "'; "
        "if command -v ccache > /dev/null; then export CMAKE_CXX_COMPILER_LAUNCHER=ccache; fi; ";
    return run_process({"/bin/sh", "-c", setting + line}, path(), path() / folder);
  }

 private:
  TemporaryFolder folder_;
};

/// The fenced blocks of a page: "```cpp tiny.cpp" is that file, "```sh" commands to run; others are
/// for reading.
struct Block {
  std::string language, file, text;
};

std::vector<Block> blocks_of(const fs::path& page) {
  std::vector<Block> blocks;
  std::ifstream file(page);
  bool inside = false;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("```")) {
      if (!inside) {
        std::istringstream words(line.substr(3));
        blocks.emplace_back();
        words >> blocks.back().language >> blocks.back().file;
      }
      inside = !inside;
    } else if (inside) {
      blocks.back().text += line + "\n";
    }
  }
  return blocks;
}

}  // namespace

TEST_CASE("bcx plugins new makes projects that build, pass the check and train two steps") {
  const Workplace here;
  for (const std::string kind : {"callback", "optimizer", "augmentation", "backbone"}) {
    DYNAMIC_SECTION(kind) {
      const std::string name = "my_" + kind;
      here.sh("bcx plugins new " + name + " --kind " + kind);
      here.sh("cmake -B build && cmake --build build && ctest --test-dir build --output-on-failure",
              name);
      // The run's row says that the plugin was there.
      here.sh("cd build && bcx runs --tracker runs/bcx.db | grep -q " + name, name);
    }
  }
}

TEST_CASE("bcx plugins new says what is wrong") {
  const Workplace here;
  CHECK(here.shell("bcx plugins new My-Net --kind backbone").err ==
        "error: NAME: \"My-Net\" is no plugin's name; begin with a letter and use a-z, 0-9 and _, "
        "at most 64 of "
        "them\n");
  here.sh("mkdir full && touch full/x");
  const auto full = here.shell("bcx plugins new my_net --kind backbone --dir full");
  CHECK(full.err == "error: full: is there and not empty; give another place with --dir\n");
  CHECK(full.code == 2);
  CHECK(here.shell("bcx plugins new my_net --kind schedule").code == 2);
  here.sh("rm -r bcx/share");
  const auto bare = here.shell("bcx plugins new my_net --kind backbone");
  CHECK(bare.err ==
        "error: " + (fs::canonical(here.path()) / "bcx/share/bcx/templates/backbone").string() +
            ": this installation of bcx lacks its templates; install bcx again\n");
}

TEST_CASE("the tutorial's blocks, one after the other") {
  const Workplace here;
  fs::create_directory(here.path() / "page");
  int files = 0, commands = 0;
  for (const auto& [language, file, text] : blocks_of(source_dir() / "docs/writing-a-plugin.md")) {
    if (language == "sh" && file.empty()) {
      here.sh(text, "page");
      ++commands;
    } else if (!file.empty() && language != "sh") {
      const auto path = here.path() / "page" / file;
      fs::create_directories(path.parent_path());
      std::ofstream(path) << text;
      ++files;
    }
  }
  CHECK(files >= 4);
  CHECK(commands >= 4);
}

TEST_CASE("a program that uses bcx as a library") {
  const Workplace here;
  fs::copy(source_dir() / "examples/train_from_cpp", here.path() / "program");
  here.sh("cmake -B build && cmake --build build", "program");
  here.sh("bcx data demo demo --patients 8 --images 32 --size 64", "program");
  std::ofstream(here.path() / "program/experiment.toml") << R"([data]
root = "demo"
image_size = 32
[data.split]
validation = 0.25
test = 0.25
[model]
backbone = "resnet18"
weights = "none"
[train]
batch_size = 8
)";
  const auto outcome = here.shell("build/train_from_cpp experiment.toml train.epochs=1", "program");
  INFO(outcome.out << outcome.err);
  CHECK(outcome.code == 0);
  CHECK(outcome.out.find("epoch 1 of 1:") != std::string::npos);
  CHECK(outcome.out.find(" right\n") != std::string::npos);
  const auto wrong = here.shell("build/train_from_cpp experiment.toml train.epoch=1", "program");
  CHECK(wrong.err ==
        "--set train.epoch: unknown key \"epoch\" in [train]; did you mean \"epochs\"?\n");
}

TEST_CASE("installed headers compile alone, and none brings LibTorch's whole interface") {
  const Workplace here;
  std::ostringstream all;
  for (const auto& entry : fs::recursive_directory_iterator(here.path() / "bcx/include/bcx")) {
    const auto header = fs::relative(entry.path(), here.path() / "bcx/include").string();
    if (!header.ends_with(".h")) continue;
    INFO(header);
    CHECK(slurp(entry.path()).find("#include <torch/torch.h>") == std::string::npos);
    // The SDK's, which need LibTorch, are compiled one by one by the test sdk_headers_alone.
    if (!header.starts_with("bcx/sdk/")) all << "#include <" << header << ">\n";
  }
  std::ofstream(here.path() / "all.cpp") << all.str();
  here.sh("c++ -std=c++20 -Ibcx/include -fsyntax-only -Wall -Wextra -Werror all.cpp");
}
