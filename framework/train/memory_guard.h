// Running out of memory is no fault of the plugin in whose code it happened.
#pragma once

#include <c10/util/Exception.h>

#include <new>
#include <string_view>
#include <utility>

#include "base/error.h"

namespace bcx::train {

/// Runs `call`; an allocation that failed, on a GPU or in LibTorch's or the standard library's CPU
/// allocator, becomes bcx::Error (device) with what to do.
template <typename Call>
decltype(auto) within_memory(Call&& call) {
  const auto fail = [] {
    return Error(ExitCode::device, {"out of memory", "",
                                    "lower train.batch_size (train.accumulate keeps the effective "
                                    "batch), or data.image_size"});
  };
  try {
    return std::forward<Call>(call)();
  } catch (const c10::OutOfMemoryError&) {
    throw fail();
  } catch (const std::bad_alloc&) {
    throw fail();
  } catch (const c10::Error& error) {
    // The CPU allocator has no error type of its own.
    if (std::string_view(error.what_without_backtrace()).find("can't allocate memory") ==
        std::string_view::npos)
      throw;
    throw fail();
  }
}

}  // namespace bcx::train
