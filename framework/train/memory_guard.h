// Running out of memory is no fault of the plugin in whose code it happened.
#pragma once

#include <c10/util/Exception.h>

#include <new>
#include <string>
#include <utility>

#include "base/error.h"
#include "plugin/call_site.h"

namespace bcx::train {

/// Runs `call`; an allocation that failed, on a GPU or in LibTorch's or the standard library's CPU
/// allocator, becomes bcx::Error (device) with what to do.
template <typename Call>
decltype(auto) within_memory(Call&& call) {
  const auto fail = [] {
    return Error(ExitCode::device,
                 {"out of memory", "", std::string(plugin::out_of_memory_remedy)});
  };
  try {
    return std::forward<Call>(call)();
  } catch (const c10::OutOfMemoryError&) {
    throw fail();
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {
    if (!plugin::is_out_of_memory(error)) throw;
    throw fail();
  }
}

}  // namespace bcx::train
