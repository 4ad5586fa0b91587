// Calls into plugin code, so that what it throws says whose it was.
#pragma once

#include <exception>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "config/params.h"
#include "plugin/crash_message.h"

namespace bcx::plugin {

/// Whether an allocation failed: in the standard library, in LibTorch's CPU allocator (which has no
/// error type of its own) or on a GPU.
bool is_out_of_memory(const std::exception& error) noexcept;

inline constexpr std::string_view out_of_memory_remedy =
    "lower train.batch_size (train.accumulate keeps the effective batch) or data.image_size, or set "
    "train.allow_micro_batches";

/// Who is being called: one component of one plugin file.
struct CallSite {
  config::ComponentKind kind = config::ComponentKind::backbone;
  std::string component, version, file;

  explicit CallSite(const config::ComponentSpec& spec)
      : kind(spec.kind), component(spec.name), version(spec.version), file(spec.file) {}

  /// `in backbone "densenet201" 1.0.0 (/usr/lib/bcx/plugins/densenet.bcx.so), while building it`
  std::string text(std::string_view doing) const;

  /// Runs `call` and gives its result. Whatever it throws comes out as bcx::Error (plugin) with
  /// text() in front; a bcx::Error of another code than plugin keeps its code (a stop, a full
  /// device), and running out of memory has that of a full device. `doing` is a phrase such as `building
  /// it` or `the forward pass`; it stands in the message of a crash, too.
  template <typename Call>
  decltype(auto) operator()(std::string_view doing, Call&& call) const {
    const InsidePlugin inside(*this, doing);
    try {
      return std::forward<Call>(call)();
    } catch (...) {
      rethrow(doing);
    }
  }

 private:
  [[noreturn]] void rethrow(std::string_view doing) const;
};

}  // namespace bcx::plugin
