// Memory that runs out, as the kernel's limit on a process's address space has it.

#include <sys/resource.h>

#include "tests/integration/faults/small_runs.h"

using namespace bcx;

namespace {

constexpr const char* large_batch = R"(
extends = ["demo.toml"]
[experiment]
name = "large"
[data]
image_size = 224
split.validation = 0.0
split.test = 0.1
[model]
backbone = "squeezenet1_1"
head.dropout = 0.0
head.batch_norm = false
[optimizer]
name = "sgd"
learning_rate = 1e-3
[train]
epochs = 1
batch_size = 256
limit_batches = 1
threads = 1
)";

struct Large : test::RunWorkplace {
  Large() : test::RunWorkplace("large", large_batch, 280, 8) {}

  test::Outcome run(const std::string& name, std::int64_t megabytes,
                    const std::vector<std::string>& more = {}) const {
    std::string line = "ulimit -v " + std::to_string(megabytes * 1024) + "; exec \"$@\"";
    std::vector<std::string> arguments{"/bin/sh", "-c", line, "sh"};
    for (const auto& word : command({"run", "large.toml", "--quiet", "--name", name}))
      arguments.push_back(word);
    arguments.insert(arguments.end(), more.begin(), more.end());
    return test::run_process(arguments, path(), path());
  }
};

}  // namespace

TEST_CASE("out of memory is said with what to do; in parts the batch fits, with the same result") {
  const Large here;
  const auto whole = here.bcx({"run", "large.toml", "--quiet", "--name", "whole"});
  INFO(whole.err);
  REQUIRE(whole.code == 0);
  // What a process takes before it trains differs from machine to machine: the first limit under
  // which the whole batch does not fit.
  std::int64_t limit = 12000;
  test::Outcome tight = here.run("tight", limit);
  while (tight.code == 0 && limit > 1000) {
    limit = limit * 7 / 8;
    tight = here.run("tight", limit);
  }
  INFO(limit << " MB: " << tight.err);
  CHECK(tight.code == 5);
  CHECK(tight.err.find(
            "out of memory; lower train.batch_size (train.accumulate keeps the effective "
            "batch) or data.image_size, or set train.allow_micro_batches\n") != std::string::npos);
  CHECK(here.run_named("tight").at("status") == "failed");

  const auto parts = here.run("parts", limit, {"--set", "train.allow_micro_batches=true"});
  INFO(parts.err);
  REQUIRE(parts.code == 0);
  CHECK(
      parts.err.find("warning: out of memory at step 1: each batch goes through the network in ") !=
      std::string::npos);
  CHECK(here.run_named("parts").at("stamps") == nlohmann::json({"LIMITED"}));
  const auto a = test::results(here.run_named("whole")), b = test::results(here.run_named("parts"));
  CHECK(a.at("train.loss") == Approx(b.at("train.loss")).epsilon(1e-5));
  CHECK(a.at("grad_norm") == Approx(b.at("grad_norm")).epsilon(1e-4));
}
