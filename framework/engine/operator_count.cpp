#include "engine/operator_count.h"

#include <atomic>
#include <memory>

namespace bcx::engine {
namespace {

thread_local std::int64_t depth = 0;
std::atomic<std::int64_t> called = 0;

std::unique_ptr<at::ObserverContext> begin(const at::RecordFunction&) {
  if (depth++ == 0) ++called;
  return nullptr;
}

void end(const at::RecordFunction&, at::ObserverContext*) {
  --depth;
}

}  // namespace

OperatorCount::OperatorCount()
    : handle_(at::addGlobalCallback(
          at::RecordFunctionCallback(begin, end).scopes({at::RecordScope::FUNCTION}))) {
  called = 0;
}

OperatorCount::~OperatorCount() {
  at::removeCallback(handle_);
}

std::int64_t OperatorCount::count() const {
  return called;
}

}  // namespace bcx::engine
