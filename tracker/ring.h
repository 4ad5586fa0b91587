// The fixed ring between the training threads and the writer thread.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace bcx::tracker {

/// A bounded queue for many producers and one consumer (after D. Vyukov's bounded MPMC queue): each
/// cell carries a sequence number that says whose turn it is. try_push and try_pop never wait,
/// never allocate and make no system call. T is trivially copyable.
template <typename T>
class Ring {
 public:
  /// `capacity` is a power of two.
  explicit Ring(std::size_t capacity)
      : capacity_(capacity), cells_(std::make_unique<Cell[]>(capacity)) {
    for (std::size_t i = 0; i < capacity; ++i) cells_[i].turn.store(i, std::memory_order_relaxed);
  }

  /// False when the ring is full.
  bool try_push(const T& value) noexcept {
    std::uint64_t at = tail_.load(std::memory_order_relaxed);
    for (;;) {
      Cell& cell = cells_[at & (capacity_ - 1)];
      const std::uint64_t turn = cell.turn.load(std::memory_order_acquire);
      if (turn == at) {
        if (tail_.compare_exchange_weak(at, at + 1, std::memory_order_relaxed)) {
          cell.value = value;
          cell.turn.store(at + 1, std::memory_order_release);
          return true;
        }
      } else if (turn < at) {
        return false;
      } else {
        at = tail_.load(std::memory_order_relaxed);
      }
    }
  }

  /// False when the next cell is not filled yet. The consumer's thread only.
  bool try_pop(T& value) noexcept {
    Cell& cell = cells_[head_ & (capacity_ - 1)];
    if (cell.turn.load(std::memory_order_acquire) != head_ + 1) return false;
    value = cell.value;
    cell.turn.store(head_ + capacity_, std::memory_order_release);
    ++head_;
    return true;
  }

  /// How many pushes were begun so far, and how many pops were done (the latter by the consumer).
  std::uint64_t pushed() const noexcept { return tail_.load(std::memory_order_acquire); }
  std::uint64_t popped() const noexcept { return head_; }
  std::size_t capacity() const noexcept { return capacity_; }

 private:
  struct Cell {
    std::atomic<std::uint64_t> turn{0};
    T value{};
  };
  const std::size_t capacity_;
  std::unique_ptr<Cell[]> cells_;
  alignas(64) std::atomic<std::uint64_t> tail_{0};
  alignas(64) std::uint64_t head_ = 0;
};

}  // namespace bcx::tracker
