#include "train/step_recorder.h"

#include <torch/types.h>

#include "tests/catch.h"
#include "tests/integration/train/fake_recorder.h"
#include "tests/integration/train/step_rig.h"

using namespace bcx;
using namespace bcx::train;
using bcx::test::Rig;

namespace {

/// A state of one number, and a device that writes down what is asked with the host's numbers of
/// that moment in it, as CUDA does.
struct Counter {
  at::Tensor state = at::zeros({}, at::kDouble);
  double on_host = 1.0;  ///< what a step adds, beside its image
  double noise = 0.0;    ///< added to each eager step in turns: positive, negative, ...
  bool host_reads = false;
  int eager_steps = 0;
  std::vector<std::function<void()>> tape;
  StepRecorder recorder{[this](const std::function<void()>& work, std::span<const at::Generator>) {
                          tape.clear();
                          work();
                          struct Tape final : RecordedWork {
                            explicit Tape(Counter& to) : owner(to) {}
                            void replay() override {
                              for (const auto& operation : owner.tape) operation();
                            }
                            Counter& owner;
                          };
                          return std::make_unique<Tape>(*this);
                        },
                        at::globalContext().defaultGenerator(at::kCPU).clone()};

  at::Tensor step(double image) {
    RecordableStep step;
    step.micro_batches = step.samples = 1;
    step.seeds = {7};
    if (host_reads) on_host = image;
    step.eager = [this, image] {
      ++eager_steps;
      state.add_(image * on_host + (eager_steps % 2 ? noise : -noise));
      return state.clone();
    };
    step.make_batches = [image] {
      return std::vector<sdk::Batch>{
          {at::full({1, 3, 1, 1}, image, at::kDouble), at::ones({1, 1})}};
    };
    step.body = [this](std::span<const sdk::Batch> batches, std::span<const at::Generator>) {
      const auto loss = at::zeros({}, at::kDouble);
      tape.push_back([this, loss, image = batches[0].images, number = on_host] {
        state.add_(image.mean() * number);
        loss.copy_(state);
      });
      return loss;
    };
    step.state = [this] { return std::vector<sdk::NamedTensor>{{"number", state}}; };
    return recorder.run(step, 1e-3);
  }
};

struct Deterministic {
  Deterministic() { at::globalContext().setDeterministicAlgorithms(true, false); }
  ~Deterministic() { at::globalContext().setDeterministicAlgorithms(false, false); }
};

}  // namespace

TEST_CASE("a step that came three times is recorded, then checked, then replayed") {
  Counter counter;
  double expected = 0;
  const auto run = [&](double image) {
    CHECK(counter.step(image).item<double>() == (expected += image));
  };
  for (int i = 1; i <= 3; ++i) run(i);
  CHECK(counter.tape.empty());
  run(4);
  CHECK(counter.tape.size() == 1);
  CHECK(counter.eager_steps == 4);
  CHECK(counter.recorder.take_note().empty());
  run(5);
  CHECK(counter.eager_steps == 6);
  CHECK(counter.recorder.take_note() ==
        "steps of 1 image are replayed as a CUDA graph from now on");
  for (int i = 6; i <= 9; ++i) run(i);
  CHECK(counter.eager_steps == 6);
  CHECK(counter.recorder.replayed() == 4);
  CHECK(counter.recorder.take_note().empty());
}

TEST_CASE("a loss that was given stays when the next step is replayed") {
  Counter counter;
  std::vector<at::Tensor> losses;
  for (int i = 1; i <= 8; ++i) losses.push_back(counter.step(1));
  for (int i = 1; i <= 8; ++i) CHECK(losses[static_cast<std::size_t>(i - 1)].item<double>() == i);
}

TEST_CASE("a number that the host took into the record is found out") {
  Counter counter;
  counter.host_reads = true;  // each step adds its image's square
  double expected = 0;
  for (int i = 1; i <= 8; ++i) CHECK(counter.step(i).item<double>() == (expected += i * i));
  CHECK(counter.recorder.replayed() == 0);
  CHECK_FALSE(counter.recorder.in_use());
  CHECK(counter.recorder.take_note() ==
        "no CUDA graph, each operation is launched by itself: replayed, a step comes out "
        "otherwise: loss is 5 away, a step changes it by 55, two eager ones differ by 0");
}

TEST_CASE("what two eager steps differ by is granted, but not to deterministic ones") {
  Counter counter;
  counter.noise = 0.01;
  SECTION("as it is") {
    for (int i = 1; i <= 6; ++i) counter.step(1);
    CHECK(counter.recorder.replayed() == 1);
  }
  SECTION("deterministic") {
    const Deterministic deterministic;
    for (int i = 1; i <= 6; ++i) counter.step(1);
    CHECK(counter.recorder.replayed() == 0);
    CHECK(counter.recorder.take_note().ends_with("deterministic steps must agree bit for bit"));
  }
}

TEST_CASE("training that is replayed gives the bytes of training that is not") {
  const bool undo = GENERATE(false, true);
  test::FakeRecorder device;
  Rig plain(at::kCPU, {.clip_norm = 1.0, .undo_skipped = undo});
  Rig replayed(at::kCPU, {.clip_norm = 1.0, .undo_skipped = undo, .record = device.function()});
  for (auto* rig : {&plain, &replayed}) {
    rig->run(7, {8});
    rig->run({5});  // the last batch of an epoch
    rig->run(3, {8});
    rig->run(6, {6, 6, 4});
    rig->run(6, {6, 6, 4});
  }
  check_same_bytes(plain, replayed);
  CHECK(device.recorded == 2);
  CHECK(replayed.step->recorder().replayed() == 2 + 3 + 12 - 5);
}

TEST_CASE("deterministic training is checked bit for bit") {
  const Deterministic deterministic;
  test::FakeRecorder device;
  Rig plain(at::kCPU), replayed(at::kCPU, {.record = device.function()});
  for (auto* rig : {&plain, &replayed}) rig->run(8, {8});
  check_same_bytes(plain, replayed);
  CHECK(replayed.step->recorder().replayed() == 3);
}

TEST_CASE("a record that replays wrongly leaves no trace") {
  test::FakeRecorder device;
  Rig plain(at::kCPU), replayed(at::kCPU, {.record = device.function()});
  std::string of;
  SECTION("in parameters") {
    device.after_replay = [&] { replayed.parameters->values().mul_(1.01); };
    of = "parameters";
  }
  SECTION("in the optimizer's state") {
    device.after_replay = [&] { replayed.optimizer.velocity.zero_(); };
    of = "optimizer's velocity";
  }
  SECTION("in running statistics") {
    device.after_replay = [&] { replayed.parameters->buffers().add_(0.1); };
    of = "running statistics";
  }
  SECTION("by what is no number") {
    device.after_replay = [&] { replayed.parameters->values().fill_(NAN); };
    of = "parameters";
  }
  SECTION("by throwing") {
    device.after_replay = [] { throw std::runtime_error("illegal address"); };
    of = "illegal address";
  }
  for (auto* rig : {&plain, &replayed}) rig->run(9, {8});
  check_same_bytes(plain, replayed);
  CHECK(device.replayed == 1);
  CHECK(replayed.step->recorder().replayed() == 0);
  const auto note = replayed.step->take_note();
  INFO(note);
  CHECK(note.starts_with("no CUDA graph"));
  CHECK(note.find(of) != std::string::npos);
}

TEST_CASE("what cannot be recorded is tried once, said once, and run eagerly") {
  test::FakeRecorder device;
  device.refuses = "operation not permitted when stream is capturing";
  Rig plain(at::kCPU), replayed(at::kCPU, {.record = device.function()});
  for (auto* rig : {&plain, &replayed}) {
    rig->run(9, {8});
    rig->run(9, {4});
  }
  check_same_bytes(plain, replayed);
  CHECK(device.recorded == 1);
  CHECK(replayed.step->take_note() ==
        "no CUDA graph, each operation is launched by itself: the step cannot be recorded: "
        "operation not permitted when stream is capturing");
  CHECK(replayed.step->take_note().empty());
}

TEST_CASE("a record ends with what it was made for") {
  test::FakeRecorder device;
  Rig plain(at::kCPU), replayed(at::kCPU, {.record = device.function()});
  const std::vector<std::string> convolution = {"backbone.conv.*"};
  for (auto* rig : {&plain, &replayed}) {
    rig->run(7, {8});
    rig->step->set_frozen({});  // as before
    rig->run(2, {8});
    rig->step->set_frozen(convolution);
    rig->run(7, {8});
    rig->step->set_frozen({});
    rig->run(7, {8});
  }
  check_same_bytes(plain, replayed);
  CHECK(device.recorded == 3);
  CHECK(replayed.step->recorder().replayed() == 4 + 2 + 2);
}

TEST_CASE("a batch that memory has made into parts is not replayed") {
  test::FakeRecorder device;
  Rig plain(at::kCPU, {.allow_parts = true}),
      replayed(at::kCPU, {.allow_parts = true, .record = device.function()});
  for (auto* rig : {&plain, &replayed}) {
    rig->run(6, {8});
    rig->backbone->fits = 4;
    rig->step->set_parts(2);
    rig->run(6, {8});
  }
  check_same_bytes(plain, replayed);
  CHECK(replayed.step->recorder().replayed() == 1);
}

TEST_CASE("memory that runs out while the record is checked makes parts of the batch") {
  test::FakeRecorder device;
  Rig plain(at::kCPU, {.allow_parts = true}),
      replayed(at::kCPU, {.allow_parts = true, .record = device.function()});
  for (auto* rig : {&plain, &replayed}) {
    rig->run(4, {8});
    rig->backbone->fits = 4;
    rig->run(4, {8});
  }
  check_same_bytes(plain, replayed);
  CHECK(plain.step->parts() == 2);
  CHECK(replayed.step->parts() == 2);
  CHECK(replayed.step->recorder().replayed() == 0);
}
