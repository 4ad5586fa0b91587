// A device that records, without one: what is written down is run again by calling it.
#pragma once

#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include "train/recorded_work.h"

namespace bcx::test {

/// Keeps the function; a replay calls it. Counts, and spoils what it is told to.
class FakeRecorder {
 public:
  train::RecordWork function() {
    return [this](const std::function<void()>& work, std::span<const at::Generator>) {
      ++recorded;
      if (!refuses.empty()) throw std::runtime_error(refuses);
      return std::make_unique<Kept>(*this, work);
    };
  }

  int recorded = 0, replayed = 0;
  std::string refuses;                 ///< what recording throws; empty: nothing
  std::function<void()> after_replay;  ///< called behind each replay

 private:
  struct Kept final : train::RecordedWork {
    Kept(FakeRecorder& to, std::function<void()> what) : owner(to), work(std::move(what)) {}
    void replay() override {
      ++owner.replayed;
      work();
      if (owner.after_replay) owner.after_replay();
    }
    FakeRecorder& owner;
    std::function<void()> work;
  };
};

}  // namespace bcx::test
